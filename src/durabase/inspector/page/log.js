// What an object does, as it does it: events, what it prints, the beginnings and ends of its lives.

import {follow} from './api.js';
import {clockTime, fill, h} from './dom.js';

const LIMIT = 500;

/** Whether the record is of what the inspector itself has asked for. */
const isOurs = (record) => record.type === 'event' && record.kind === 'run' && record.event === null;

const described = (record) => {
  const {event} = record;
  if (record.type === 'log') return record.message;
  if (record.type === 'object') return record.sockets ? `${record.sockets} sockets stay` : '';
  if (event?.request) return `${event.request.method} ${event.request.url}${event.response ? ` → ${event.response.status}` : ''}`;
  if (event?.getWebSocketEvent?.code !== undefined) return `code ${event.getWebSocketEvent.code}`;
  return '';
};

const levelOf = (record) => {
  if (record.exceptions?.length > 0 || record.level === 'error' || record.type === 'held-up') return 'bad';
  if (record.level === 'warn' || (record.outcome !== undefined && record.outcome !== 'ok')) return 'warn';
  return record.type;
};

const entry = (record) =>
  h(
    'div',
    {class: `record ${levelOf(record)}`},
    h('time', {}, clockTime(record.eventTimestamp ?? record.timestamp ?? Date.now())),
    h('span', {class: 'tag'}, record.type === 'log' ? record.level : record.kind),
    h('span', {class: 'text'}, described(record), record.exceptions?.map((error) => h('details', {}, h('summary', {class: 'problem'}, `${error.name}: ${error.message}`), h('pre', {class: 'pretty'}, error.stack)))),
    h('span', {class: 'faint size'}, record.wallTime === undefined ? '' : `${record.wallTime < 10 ? record.wallTime.toFixed(1) : Math.round(record.wallTime)} ms`),
  );

export const logTab = (element, opened) => {
  const live = h('span', {class: 'live off'}, 'connecting');
  const list = h('div', {class: 'records', role: 'log', 'aria-label': 'Records'});
  const errorsOnly = h('input', {type: 'checkbox', onchange: () => list.classList.toggle('errors', errorsOnly.checked)});
  fill(
    element,
    h('div', {class: 'row'}, live, h('span', {class: 'space'}), h('label', {class: 'check'}, errorsOnly, 'errors only'), h('button', {class: 'button small', onclick: () => fill(list)}, 'Clear')),
    h('p', {class: 'faint small'}, 'What happens while this tab is open, the newest first.'),
    list,
  );
  const hear = (record) => {
    if (record.type === 'missed') list.prepend(h('p', {class: 'problem'}, `${record.count} records are missing here.`));
    else if (!isOurs(record)) list.prepend(entry(record));
    if (list.children.length > LIMIT) list.lastChild.remove();
  };
  const query = {class_name: opened.query.class.split(':').pop(), object: opened.listed.id};
  return follow('tail', query, hear, (state, why) => {
    live.className = `live ${state}`;
    live.textContent = state === 'on' ? 'following' : why ?? 'connecting';
  });
};
