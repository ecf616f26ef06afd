// What is said in a room, for as long as this tab is open: who asks whom for what, and what is brought.

import {follow} from './api.js';
import {bytes, clockTime, fill, h, plural} from './dom.js';
import {heard} from './seen.js';
import {shown} from './values.js';

const LIMIT = 500;

const MEANING = {
  response: 'answers',
  get_content_hashes: 'asks what all content hashes to',
  content_hashes: 'tells what all content hashes to',
  content_diff: 'tells what has changed',
  get_table_diff: 'asks for tables that differ',
  get_row_diff: 'asks for rows that differ',
  get_cell_diff: 'asks for cells that differ',
  get_value_diff: 'asks for values that differ',
};

const who = (id) => (id === '' ? 'everybody else' : id === 'S' ? 'server' : id.slice(0, 8));

const pathOf = (thing) => (thing.value_id === undefined ? [thing.table, thing.row, thing.cell] : [thing.value_id]);

const person = (id) => h('span', {class: `client${id === 'S' ? ' server' : ''}`, title: id || null}, who(id));

const entry = (record) =>
  h(
    'details',
    {class: 'message', data: {kind: record.kind}},
    h(
      'summary',
      {},
      h('time', {}, clockTime(record.time)),
      person(record.from),
      h('span', {class: 'arrow', 'aria-hidden': 'true'}, '→'),
      person(record.to),
      h('b', {class: `kind ${record.kind}`}, record.kind.replaceAll('_', ' ')),
      record.answers && h('span', {class: 'faint'}, record.answers.replace('get_', '').replaceAll('_', ' ')),
      h('span', {class: 'gist'}, record.things.slice(0, 3).map((thing) => [h('span', {class: 'faint'}, `${pathOf(thing).join('/')} `), thing.deleted ? h('em', {class: 'faint'}, 'deleted') : thingShown(thing), ' '])),
      h('span', {class: 'faint size'}, bytes(record.bytes)),
    ),
    h(
      'div',
      {class: 'inside'},
      h('p', {class: 'faint'}, `${who(record.from)} ${MEANING[record.kind]}${record.request === null ? '' : ` · request ${record.request}`}`),
      record.things.length > 0 && thingsTable(record),
      h('pre', {class: 'pretty'}, record.text),
    ),
  );

const thingShown = (thing) => shown(thing.json === undefined ? thing.value : thing.json);

const thingsTable = (record) => [
  h(
    'div',
    {class: 'scroll'},
    h(
      'table',
      {class: 'grid'},
      h('thead', {}, h('tr', {}, ['what', 'value', 'written', 'counter', 'client'].map((name) => h('th', {scope: 'col'}, name)))),
      h(
        'tbody',
        {},
        record.things.map((thing) =>
          h('tr', {}, h('td', {}, pathOf(thing).join(' / ')), h('td', {}, thing.deleted ? h('em', {class: 'faint'}, 'deleted') : thingShown(thing)), h('td', {}, thing.stamp ? clockTime(thing.stamp.time) : '–'), h('td', {}, thing.stamp ? String(thing.stamp.counter) : ''), h('td', {}, thing.stamp?.client ?? '')),
        ),
      ),
    ),
  ),
  record.more && h('p', {class: 'faint'}, 'and more'),
];

export const wireTab = (element, opened) => {
  let count = 0;
  let isPaused = false;
  const live = h('span', {class: 'live off'}, 'connecting');
  const total = h('span', {class: 'faint'}, 'no messages yet');
  const list = h('div', {class: 'messages', role: 'log', 'aria-label': 'Messages'});
  const filter = h('input', {type: 'search', placeholder: 'Filter', 'aria-label': 'Filter messages', oninput: () => [...list.children].forEach(sift)});
  const pause = h('button', {class: 'button small', 'aria-pressed': 'false', onclick: () => {
    isPaused = !isPaused;
    pause.setAttribute('aria-pressed', String(isPaused));
    pause.textContent = isPaused ? 'Go on' : 'Pause';
  }}, 'Pause');
  const sift = (line) => (line.hidden = !line.textContent.toLowerCase().includes(filter.value.toLowerCase()));

  const hear = (record) => {
    if (record.type === 'missed') record = null;
    else if (record.type !== 'message') return;
    else for (const thing of record.things) heard(opened.query, pathOf(thing), {...thing, from: record.from});
    if (isPaused) return;
    const line = record === null ? h('p', {class: 'problem'}, 'Too much was said at once; some messages are missing here.') : entry(record);
    sift(line);
    list.prepend(line);
    if (list.children.length > LIMIT) list.lastChild.remove();
    total.textContent = plural(++count, 'message');
  };

  fill(
    element,
    h('div', {class: 'row'}, live, total, h('span', {class: 'space'}), filter, pause, h('button', {class: 'button small', onclick: () => fill(list)}, 'Clear')),
    h('p', {class: 'faint small'}, 'Messages are recorded while this tab is open, the newest first. The object does not hibernate meanwhile.'),
    list,
  );
  return follow('object/watch', {...opened.query, messages: 'yes'}, hear, (state, why) => {
    live.className = `live ${state}`;
    live.textContent = state === 'on' ? 'recording' : why ?? 'connecting';
  });
};
