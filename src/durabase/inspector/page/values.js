// Cells, values and stored entries: how they are shown, and typed in.

import {h} from './dom.js';

export const typeOf = (value) =>
  value === null ? 'null' : typeof value === 'object' ? 'json' : typeof value === 'string' ? 'text' : typeof value;

/** One line for a value. */
export const shortText = (value) => (typeof value === 'string' ? value : JSON.stringify(value));

/** A value in one line, coloured by its type. */
export const shown = (value) => {
  if (value === undefined) return h('span', {class: 'value none'}, '');
  const text = shortText(value);
  const empty = text === '' ? ' empty' : '';
  return h('span', {class: `value ${typeOf(value)}${empty}`, title: text.length > 60 ? text.slice(0, 2000) : null}, text.slice(0, 400));
};

/** A value with all that it holds, indented. */
export const pretty = (value) =>
  h('pre', {class: `pretty ${typeOf(value)}`}, typeof value === 'string' ? value : JSON.stringify(value, null, 2));

const TYPES = [['text', 'text'], ['number', 'number'], ['boolean', 'true / false'], ['null', 'null'], ['json', 'object / array']];

const parsed = (type, text) => {
  switch (type) {
    case 'text':
      return text;
    case 'null':
      return null;
    case 'boolean':
      if (!['true', 'false'].includes(text.trim())) throw new Error('Type true or false.');
      return text.trim() === 'true';
    case 'number': {
      const number = Number(text);
      if (text.trim() === '' || !Number.isFinite(number)) throw new Error(`“${text}” is no number.`);
      return number;
    }
    default:
      return JSON.parse(text);
  }
};

/**
 * A small form for one value. Enter saves, Escape leaves it.
 * @param {any} value what it is now; undefined: nothing
 * @param {(value: any) => Promise<any>} save resolves to undefined if it failed
 * @param {() => void} leave
 * @param {(() => Promise<any>) | null} remove
 */
export const editor = (value, save, leave, remove = null) => {
  const type = h('select', {'aria-label': 'Type'}, TYPES.map(([name, label]) => h('option', {value: name}, label)));
  const input = h('textarea', {'aria-label': 'Value', rows: '1', spellcheck: false});
  const error = h('div', {class: 'problem', role: 'alert'});
  type.value = value === undefined ? 'text' : typeOf(value);
  input.value = value === undefined ? '' : typeof value === 'object' && value !== null ? JSON.stringify(value, null, 2) : shortText(value);
  input.rows = Math.min(12, input.value.split('\n').length);
  type.addEventListener('change', () => input.focus());

  const submit = async () => {
    let made;
    try {
      made = parsed(type.value, input.value);
    } catch (problem) {
      error.textContent = problem.message;
      return;
    }
    if ((await save(made)) !== undefined) leave();
  };
  const onKey = (event) => {
    event.stopPropagation();
    if (event.key === 'Escape') leave();
    else if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      submit();
    }
  };
  const form = h(
    'div',
    {class: 'editor', onkeydown: onKey},
    input,
    h(
      'div',
      {class: 'row'},
      type,
      h('button', {class: 'button small primary', onclick: submit}, 'Save'),
      h('button', {class: 'button small', onclick: leave}, 'Cancel'),
      remove && h('button', {class: 'button small danger', onclick: async () => (await remove()) !== undefined && leave()}, 'Delete'),
    ),
    error,
  );
  queueMicrotask(() => {
    input.focus(); // it is in the page by now
    input.select();
    form.scrollIntoView({block: 'nearest', inline: 'nearest'});
  });
  return form;
};
