// Asking the server: single answers, and answers that go on, a line of JSON for each record.

import {askForToken} from './dialog.js';

const TOKEN = 'durabase-admin-token';
const RETRY_MS = 1000;

/** What the server refuses, and why. */
export class Problem extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

const url = (path, query) => {
  const made = new URL(`api/${path}`, document.baseURI);
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined) made.searchParams.append(name, value);
  }
  return made;
};

let asking = null;

/** A new token from whoever sits here; all that are refused meanwhile wait for the same. */
const newToken = () =>
  (asking ??= askForToken().then((token) => {
    sessionStorage.setItem(TOKEN, token);
    asking = null;
  }));

const respond = async (method, path, query, body, signal) => {
  for (;;) {
    const token = sessionStorage.getItem(TOKEN);
    const headers = token === null ? {} : {authorization: `Bearer ${token}`};
    const response = await fetch(url(path, query), {method, headers, body, signal, cache: 'no-store'});
    if (response.ok) return response;
    if (response.status !== 401) throw new Problem(response.status, await reason(response));
    await newToken();
  }
};

const reason = async (response) => {
  const text = await response.text();
  try {
    return JSON.parse(text).error ?? text;
  } catch {
    return text.trim() || `The server answers ${response.status}.`;
  }
};

export const get = async (path, query = {}) => (await respond('GET', path, query)).json();

/** @param {any} [document] sent as JSON */
export const send = async (method, path, query = {}, document = undefined) =>
  (await respond(method, path, query, document === undefined ? undefined : JSON.stringify(document))).json();

export const getBlob = async (path, query) => (await respond('GET', path, query)).blob();

/**
 * Follows records for as long as the page is visible; begins again when the answer ends.
 * @param {(record: any) => void} onRecord
 * @param {(state: 'on' | 'off', reason?: string) => void} onState
 * @returns {() => void} ends it
 */
export const follow = (path, query, onRecord, onState) => {
  let isOver = false;
  let current = null;
  let timer;

  const run = async () => {
    clearTimeout(timer);
    if (isOver || document.hidden || current !== null) return;
    const mine = (current = new AbortController());
    let why;
    try {
      const response = await respond('GET', path, query, undefined, mine.signal);
      onState('on');
      await readLines(response.body, onRecord);
    } catch (error) {
      why = error instanceof Problem ? error.message : undefined;
    }
    current = null;
    if (isOver) return;
    onState('off', why);
    timer = setTimeout(run, RETRY_MS);
  };

  const onVisibility = () => (document.hidden ? current?.abort() : run());
  document.addEventListener('visibilitychange', onVisibility);
  run();
  return () => {
    isOver = true;
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', onVisibility);
    current?.abort();
  };
};

const readLines = async (stream, onRecord) => {
  let rest = '';
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const {value, done} = await reader.read();
    if (done) return;
    const lines = (rest + value).split('\n');
    rest = lines.pop();
    for (const line of lines) if (line) onRecord(JSON.parse(line));
  }
};
