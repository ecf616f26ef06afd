// Keys and values that an object has stored.

import {get, send} from './api.js';
import {attempt, confirmed} from './dialog.js';
import {fill, h, settled} from './dom.js';
import {editor, pretty, shown} from './values.js';

const PAGE = 100;

export const entriesTab = (element, opened) => {
  const {query} = opened;
  const isRoom = opened.room.kind === 'store';
  let isOver = false;
  let after = [];
  const prefix = h('input', {type: 'search', placeholder: 'Keys that begin with', 'aria-label': 'Prefix', oninput: settled(200, () => { after = []; load(); })});
  const list = h('div', {class: 'entries'});
  const foot = h('div', {class: 'row pager'});

  const load = async () => {
    const asked = {...query, prefix: prefix.value, after: after.at(-1), limit: PAGE};
    const found = await attempt(() => get('object/entries', asked));
    if (found === undefined || isOver) return;
    const keys = Object.keys(found.entries);
    fill(list, keys.map((key) => entry(key, found.entries[key], found.printed.includes(key))), keys.length === 0 && h('p', {class: 'faint pad'}, 'There are no such keys.'));
    fill(
      foot,
      after.length > 0 && h('button', {class: 'button small', onclick: () => { after.pop(); load(); }}, '‹ Back'),
      found.more && h('button', {class: 'button small', onclick: () => { after.push(keys.at(-1)); load(); }}, 'Next ›'),
    );
  };

  /** @param {boolean} isPrinted whether it is what Python prints of it, because JSON has no form for it */
  const entry = (key, value, isPrinted) => {
    const inside = h('div', {class: 'inside'});
    const rest = () =>
      fill(
        inside,
        pretty(value),
        !isRoom && h(
          'div',
          {class: 'row'},
          isPrinted ? h('span', {class: 'faint small'}, 'As Python prints it: it has no form in JSON.') : h('button', {class: 'button small', onclick: () => fill(inside, editor(value, (made) => put(key, made), load))}, 'Edit'),
          h('button', {class: 'button small danger ghost', onclick: () => remove(key)}, 'Delete'),
        ),
      );
    rest();
    return h('details', {class: 'entry'}, h('summary', {}, h('span', {class: 'key', title: key}, key), shown(value)), inside);
  };

  const put = (key, made) => attempt(() => send('PUT', 'object/entry', {...query, key}, made), `${key} is stored.`);

  const remove = async (key) => {
    if (!(await confirmed('Delete the key?', `${key} and its value are deleted.`, 'Delete key'))) return;
    await attempt(() => send('DELETE', 'object/entry', {...query, key}), `${key} is deleted.`);
    load();
  };

  const add = () => {
    const key = h('input', {placeholder: 'key', 'aria-label': 'Key'});
    const form = editor(undefined, (made) => put(key.value, made), () => { fill(place); load(); });
    form.prepend(key);
    fill(place, form);
    queueMicrotask(() => queueMicrotask(() => key.focus()));
  };
  const place = h('div', {});

  fill(
    element,
    h('div', {class: 'row'}, prefix, h('span', {class: 'space'}), h('button', {class: 'button small', onclick: load}, 'Reload'), !isRoom && h('button', {class: 'button small', onclick: add}, '+ key')),
    isRoom && h('p', {class: 'faint small'}, 'These are kept by the store of this room: edit that, in its own tab.'),
    place,
    h('div', {class: 'card'}, list, foot),
  );
  load();
  return () => {
    isOver = true;
  };
};
