// What is done with an object as a whole: its alarm, its life, taking it elsewhere.

import {getBlob, send} from './api.js';
import {attempt, confirmed} from './dialog.js';
import {download, fill, fromNow, fullTime, h} from './dom.js';
import {titleOf} from './list.js';

const NOW = 1;

const section = (title, about, ...children) => h('section', {class: 'card pad'}, h('h2', {}, title), h('p', {class: 'faint'}, about), ...children);

const button = (text, action, kind = '') => h('button', {class: `button ${kind}`, onclick: action}, text);

/** Does something after a question, and looks at the object again. */
const asking = (opened, title, text, action, method, path, more = {}, document = undefined) => async () => {
  if (!(await confirmed(title, text, action))) return;
  await attempt(() => send(method, path, {...opened.query, ...more}, document), 'Done.');
  await opened.reload();
};

const alarmSection = (opened) => {
  const state = h('p', {});
  const time = h('input', {type: 'datetime-local', step: '1', 'aria-label': 'Time of the alarm'});
  const set = async (to, done) => {
    await attempt(() => send('POST', 'object/alarm', opened.query, {time: to}), done);
    await opened.reload();
    show();
  };
  const show = () => {
    const {alarm} = opened.listed;
    fill(state, alarm === null ? 'No alarm is set.' : `It is set for ${fullTime(alarm)}, ${fromNow(alarm)}.`);
  };
  show();
  return section(
    'Alarm',
    'Firing it now has the handler run as if it were due.',
    state,
    h(
      'div',
      {class: 'row'},
      button('Fire now', () => set(NOW, 'The alarm is due.'), 'primary'),
      button('Delete the alarm', () => set(null, 'The alarm is deleted.')),
      h('span', {class: 'space'}),
      time,
      button('Set', () => time.value && set(new Date(time.value).getTime(), 'The alarm is set.')),
    ),
  );
};

const lifeSection = (opened) =>
  section(
    'Life',
    'Evicting lets the instance go when its events are over; data and sockets stay. Aborting ends its life at once: what is under way fails, sockets are dropped.',
    h(
      'div',
      {class: 'row'},
      button('Evict', async () => {
        await attempt(() => send('POST', 'object/evict', opened.query), 'It was evicted.');
      }),
      button('Evict and close sockets', asking(opened, 'Close its sockets?', 'The instance goes, and clients have to connect again.', 'Evict', 'POST', 'object/evict', {sockets: 'close'})),
      button('Abort', asking(opened, 'Abort the object?', 'What is under way fails, and what is not committed is lost.', 'Abort', 'POST', 'object/abort'), 'danger ghost'),
    ),
  );

const copySection = (opened) => {
  const name = titleOf(opened.listed).replaceAll(/[^\w.-]+/g, '_');
  const file = h('input', {type: 'file', accept: '.json,application/json', 'aria-label': 'Document to import', class: 'file'});
  const replace = h('input', {type: 'checkbox'});
  const bring = async () => {
    if (file.files.length === 0) return;
    if (replace.checked && !(await confirmed('Replace all that it keeps?', `${titleOf(opened.listed)} will keep what the document has, and nothing else.`, 'Replace'))) return;
    const done = await attempt(async () => {
      const document = JSON.parse(await file.files[0].text());
      await send('PUT', 'object/import', {...opened.query, replace: replace.checked ? 'yes' : null}, document);
    }, 'It was imported.');
    if (done !== undefined) await opened.reload();
  };
  return section(
    'Export and import',
    'As a JSON document, or as a SQLite file that `durabase restore` takes.',
    h(
      'div',
      {class: 'row'},
      button('Export JSON', () => attempt(async () => download(`${name}.json`, await getBlob('object/export', opened.query)))),
      button('Copy as SQLite', () => attempt(async () => download(`${name}.sqlite`, await getBlob('object/copy', opened.query)))),
    ),
    h('div', {class: 'row'}, file, h('label', {class: 'check'}, replace, 'replace what is there'), button('Import', bring)),
  );
};

export const manageTab = (element, opened) => {
  fill(
    element,
    h(
      'div',
      {class: 'cards'},
      alarmSection(opened),
      lifeSection(opened),
      copySection(opened),
      section(
        'Delete',
        'All that it keeps goes for good, its alarm and its history included, and its sockets are closed.',
        button('Delete all it keeps', async () => {
          if (!(await confirmed(`Delete ${titleOf(opened.listed)}?`, 'All that it keeps goes for good. There is no way back.', 'Delete'))) return;
          const done = await attempt(() => send('DELETE', 'object', opened.query), `${titleOf(opened.listed)} is deleted.`);
          if (done !== undefined) location.hash = '';
        }, 'danger'),
      ),
    ),
  );
};
