// What an object was: going back in time, with what that would change; and who changed what.

import {get, send} from './api.js';
import {authorTitle, changeLine, who} from './authors.js';
import {attempt, confirmed} from './dialog.js';
import {fill, fromNow, fullTime, h, plural, settled} from './dom.js';

const PAGE = 50;
const SHOWN = 20;
const PREVIEWED = 100;
const SOON_MS = 250;

const none = (text) => h('p', {class: 'faint'}, text);

/** A list of changes; what is over a limit can be shown, too. */
const changesList = (changes, most) => {
  const list = h('ul', {class: 'changes'}, changes.slice(0, most).map(changeLine));
  if (changes.length > most) {
    const rest = h('li', {}, h('button', {class: 'button small ghost', onclick: () => { rest.remove(); list.append(...changes.slice(most).map(changeLine)); }}, `${plural(changes.length - most, 'more change')}`));
    list.append(rest);
  }
  return list;
};

const previewOf = (found) => {
  const tables = Object.entries(found.tables).map(([name, each]) => h('li', {}, h('span', {class: 'path'}, `table ${name}`), `${plural(each.come, 'row')} would come, ${plural(each.go, 'row')} would go`));
  const alarm = found.alarm === null ? [] : [{alarm: true, ...Object.fromEntries(Object.entries(found.alarm).filter(([, time]) => time !== null))}];
  const changes = [...found.changes, ...alarm];
  if (changes.length + tables.length === 0) return none('Nothing would change: all is as it was then.');
  return [
    h('p', {class: 'faint small'}, 'What is, and what it would be:'),
    tables.length > 0 && h('ul', {class: 'changes'}, tables),
    changesList(changes, PREVIEWED),
    found.more && none('and more'),
  ];
};

const travelSection = (opened, since, changed) => {
  const isOver = {now: false};
  let undo = null;
  let asked = 0;
  const end = Date.now();
  const slider = h('input', {type: 'range', min: String(since), max: String(end), step: '1000', 'aria-label': 'Time', class: 'slider'});
  slider.value = String(end);
  const exact = h('input', {type: 'datetime-local', step: '1', 'aria-label': 'Exact time'});
  const at = h('output', {});
  const preview = h('div', {class: 'preview', 'aria-live': 'polite'});
  const button = h('button', {class: 'button danger', disabled: true}, 'Go back');
  const undoing = h('span', {});

  const load = async () => {
    const mine = ++asked;
    const to = Number(slider.value);
    fill(preview, none('Looking …'));
    try {
      const found = await get('object/store/preview', {...opened.query, to});
      if (mine !== asked || isOver.now) return;
      fill(preview, previewOf(found));
      button.disabled = found.changes.length === 0 && Object.keys(found.tables).length === 0 && found.alarm === null;
    } catch (error) {
      if (mine === asked && !isOver.now) fill(preview, h('p', {class: 'problem'}, error.message));
    }
  };
  const soon = settled(SOON_MS, load);
  const moved = () => {
    const to = Number(slider.value);
    fill(at, fullTime(to).slice(0, 19), h('span', {class: 'faint'}, ` ${fromNow(to)}`));
    button.disabled = true;
    soon();
  };
  slider.addEventListener('input', moved);
  exact.addEventListener('change', () => {
    if (!exact.value) return;
    slider.value = String(new Date(exact.value).getTime());
    moved();
  });

  const back = async (to, done) => {
    const answer = await attempt(() => send('POST', 'object/rewind', opened.query, {to}), done);
    if (answer === undefined) return;
    if (answer.problem !== null) await attempt(() => Promise.reject(new Error(`It went back, but can't start: ${answer.problem}`)));
    undo = answer.undo;
    await opened.reload();
    if (isOver.now) return;
    fill(undoing, h('button', {class: 'button', onclick: () => back(undo, 'Undone.')}, 'Undo'));
    changed();
    load();
  };
  button.addEventListener('click', async () => {
    const to = Number(slider.value);
    const text = `It begins anew with what it kept at ${fullTime(to).slice(0, 19)}. Clients are disconnected; those that synchronize may bring their own copies back. You can undo this.`;
    if (await confirmed('Go back in time?', text, 'Go back')) await back(to, 'It went back.');
  });
  fill(at, 'now');
  fill(preview, none('Move the slider to see what would change.'));
  return [
    h('section', {class: 'card pad stack'}, h('div', {class: 'line'}, h('h2', {}, 'Back in time'), h('span', {class: 'faint small'}, `kept since ${fullTime(since).slice(0, 19)}`)), slider, h('div', {class: 'row'}, at, h('span', {class: 'space'}), exact, undoing, button), preview),
    () => { isOver.now = true; },
  ];
};

const entryOf = (entry) =>
  h(
    'li',
    {class: 'past'},
    h('div', {class: 'line'}, h('span', {class: 'author', title: authorTitle(entry.author)}, who(entry.author)), h('time', {title: fullTime(entry.time)}, entry.span ? `until ${fullTime(entry.time).slice(0, 16)}` : fullTime(entry.time).slice(0, 19))),
    changesList(entry.changes, SHOWN),
  );

const changesSection = (opened, isOver) => {
  let cursor = null;
  const list = h('ol', {class: 'pasts'});
  const foot = h('div', {class: 'row'});
  const load = async (isMore) => {
    const found = await attempt(() => get('object/changes', {...opened.query, limit: PAGE, cursor: isMore ? cursor : null}));
    if (found === undefined || isOver()) return;
    cursor = found.cursor;
    if (isMore) list.append(...found.entries.map(entryOf));
    else fill(list, found.entries.map(entryOf), found.entries.length === 0 && h('li', {}, none('Nothing is known to have changed.')));
    fill(foot, cursor !== null && h('button', {class: 'button small', onclick: () => load(true)}, 'Show more'));
  };
  load(false);
  const element = h('section', {class: 'stack'}, h('div', {class: 'line'}, h('h2', {}, 'Who changed what'), h('button', {class: 'button small', onclick: () => load(false)}, 'Reload')), list, foot);
  return [element, () => load(false)];
};

export const pastTab = (element, opened) => {
  let isOver = false;
  let end = () => {};
  const show = async () => {
    const past = await attempt(() => get('object/history', opened.query));
    if (past === undefined || isOver) return;
    if (!past.kept) {
      fill(element, h('div', {class: 'card pad'}, none('No history is kept. Start the server with --history to see who changed what, and to go back in time.')));
      return;
    }
    const [changes, again] = changesSection(opened, () => isOver);
    const travel = past.since === null ? [none('Nothing has happened yet.'), end] : travelSection(opened, past.since, again);
    end = travel[1];
    fill(element, travel[0], changes);
  };
  show();
  return () => {
    isOver = true;
    end();
  };
};
