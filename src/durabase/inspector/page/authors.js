// Who changed something, and what: in words, and in lines.

import {bytes, fullTime, h, plural} from './dom.js';
import {shown} from './values.js';

const EVENTS = {
  web_socket_message: 'a message', fetch: 'a request', rest_fetch: 'a request', run: 'the server', alarm: 'the alarm',
  restore: 'a restore', constructor: 'its start', '': 'the server',
};

/** An author in a few words. @param {Record<string, any>} author */
export const who = (author) => {
  const event = author.event ?? '';
  const by = Object.hasOwn(EVENTS, event) ? EVENTS[event] : `the call ${event}`;
  if (author.admin) return event === 'run' ? 'an administrator' : `an administrator, ${by}`;
  const known = author.identity ?? author.address ?? (author.client === undefined ? null : `client ${author.client.slice(0, 8)}`);
  return known === null ? by : known;
};

/** Everything that is known of an author. */
export const authorTitle = (author) =>
  Object.entries(author).map(([name, value]) => `${name}: ${value}`).join('\n') || 'the server';

const side = (change, name) => {
  if (`${name}_bytes` in change) return h('span', {class: 'faint'}, bytes(change[`${name}_bytes`]));
  if (!(name in change)) return h('em', {class: 'faint'}, name === 'old' ? 'not there' : 'gone');
  if ('alarm' in change) return h('span', {class: 'value'}, fullTime(change[name]));
  return shown(change[name]);
};

export const pathOfChange = (change) => change.cell?.join(' / ') ?? change.value ?? change.key ?? 'alarm';

/** A change in one line: what it is of, what that was, and what it is. */
export const changeLine = (change) => {
  if ('more' in change) return h('li', {class: 'faint'}, `and ${plural(change.more, 'more change')}`);
  if ('restored' in change) return h('li', {}, change.restored === null ? 'went back to the beginning' : `went back to ${fullTime(change.restored)}`);
  const times = change.times === undefined ? null : h('span', {class: 'faint small'}, `${change.times.toLocaleString('en')} times`);
  if ('sql' in change) return h('li', {}, h('code', {class: 'value', title: change.sql}, change.sql.replaceAll(/\s+/g, ' ').slice(0, 200)), h('span', {class: 'faint small'}, plural(change.rows, 'row')), times);
  return h('li', {}, h('span', {class: 'path', title: pathOfChange(change)}, pathOfChange(change)), side(change, 'old'), h('span', {class: 'faint', 'aria-label': 'becomes'}, '→'), side(change, 'new'), times);
};
