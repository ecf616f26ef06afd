// The tables of an object's database, page by page, and a place for queries.

import {send} from './api.js';
import {attempt, notice} from './dialog.js';
import {fill, h, plural} from './dom.js';
import {shown} from './values.js';

const PAGE = 50;
const LIMIT = 1000;

const quoted = (name) => `"${name.replaceAll('"', '""')}"`;

const resultTable = (found) =>
  h(
    'div',
    {class: 'scroll'},
    h(
      'table',
      {class: 'grid'},
      h('thead', {}, h('tr', {}, found.columns.map((name) => h('th', {scope: 'col'}, name)))),
      h('tbody', {}, found.rows.map((row) => h('tr', {}, row.map((value) => h('td', {}, shown(value)))))),
    ),
  );

export const sqlTab = (element, opened) => {
  const {query} = opened;
  let isOver = false;
  let table = Object.keys(opened.shown.tables)[0] ?? null;
  let offset = 0;

  const tables = h('div', {class: 'chips', role: 'group', 'aria-label': 'Tables'});
  const rows = h('div', {});
  const pager = h('div', {class: 'row pager'});
  const text = h('textarea', {class: 'query', rows: '3', spellcheck: false, 'aria-label': 'Query', placeholder: 'SELECT …      Ctrl+Enter runs it'});
  const write = h('input', {type: 'checkbox'});
  const result = h('div', {'aria-live': 'polite'});

  const run = (asked, options) => send('POST', 'object/sql', query, {query: asked, ...options});

  const load = async () => {
    fill(
      tables,
      Object.entries(opened.shown.tables).map(([name, count]) =>
        h('button', {class: 'chip', 'aria-pressed': String(name === table), onclick: () => { [table, offset] = [name, 0]; load(); }}, name, h('b', {}, count.toLocaleString('en'))),
      ),
    );
    if (table === null) {
      fill(rows, h('p', {class: 'faint pad'}, 'There are no tables.'));
      fill(pager);
      return;
    }
    const found = await attempt(() => run(`SELECT * FROM ${quoted(table)} LIMIT ${PAGE + 1} OFFSET ${offset}`, {limit: PAGE}));
    if (found === undefined || isOver) return;
    fill(rows, resultTable(found));
    const count = opened.shown.tables[table];
    fill(
      pager,
      h('span', {class: 'faint'}, found.rows.length === 0 ? 'No rows.' : `${offset + 1}–${offset + found.rows.length} of ${plural(Math.max(count ?? 0, offset + found.rows.length), 'row')}`),
      h('button', {class: 'button small', disabled: offset === 0, onclick: () => { offset = Math.max(0, offset - PAGE); load(); }}, '‹ Back'),
      h('button', {class: 'button small', disabled: !found.more, onclick: () => { offset += PAGE; load(); }}, 'Next ›'),
    );
  };

  const execute = async () => {
    if (text.value.trim() === '') return;
    const began = performance.now();
    try {
      const found = await run(text.value, {write: write.checked, limit: LIMIT});
      const took = `${Math.round(performance.now() - began)} ms`;
      const written = found.rows_written ? `${plural(found.rows_written, 'row')} written, ` : '';
      fill(result, h('p', {class: 'faint small'}, `${plural(found.rows.length, 'row')}${found.more ? ', and more' : ''}, ${written}${took}`), found.columns.length > 0 && h('div', {class: 'card'}, resultTable(found)));
      if (write.checked) {
        notice('Done.');
        await opened.reload();
        load();
      }
    } catch (error) {
      fill(result, h('p', {class: 'problem', role: 'alert'}, error.message));
    }
  };

  text.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      execute();
    }
  });
  fill(
    element,
    h('div', {class: 'stack'}, text, h('div', {class: 'row'}, h('button', {class: 'button primary', onclick: execute}, 'Run'), h('label', {class: 'check'}, write, 'may write'), h('span', {class: 'faint small'}, 'What is not allowed to write is undone.')), result),
    h('h2', {}, 'Tables'),
    tables,
    h('div', {class: 'card'}, rows, pager),
  );
  load();
  return () => {
    isOver = true;
  };
};
