// The store of a room, live: its clients, its values, its tables, and who wrote a cell.

import {follow, get, send} from './api.js';
import {authorTitle, who} from './authors.js';
import {attempt, confirmed} from './dialog.js';
import {bytes, clockTime, fill, fromNow, fullTime, h, paced, plural} from './dom.js';
import {heard, historyOf} from './seen.js';
import {editor, shown} from './values.js';

const PAGE = 50;

export const storeTab = (element, opened) => {
  const {query} = opened;
  let room = opened.room;
  let table = Object.keys(room.tables)[0] ?? null;
  let page = {cells: [], rows: [], count: 0};
  let offset = 0;
  let sort = {cell: null, descending: false};
  let isEditing = false;
  let isStale = false;
  let before = new Map();
  let isOver = false;

  const live = h('span', {class: 'live off'}, 'connecting');
  const people = h('div', {class: 'people'});
  const values = h('div', {class: 'values'});
  const tables = h('div', {class: 'chips', role: 'group', 'aria-label': 'Tables'});
  const grid = h('div', {class: 'scroll'});
  const pager = h('div', {class: 'row pager'});
  const story = h('aside', {class: 'card story', 'aria-live': 'polite'});

  const edit = (name, ...given) =>
    attempt(() => send('POST', 'object/store/edit', query, {edit: name, arguments: given}).then(() => refresh()));

  // What is seen

  const refresh = async () => {
    if (isOver) return;
    if (isEditing) {
      isStale = true;
      return;
    }
    isStale = false;
    const found = await attempt(() => get('object/store', query));
    if (found === undefined || isOver) return;
    room = opened.room = found;
    const ids = Object.keys(room.tables);
    if (table === null || !ids.includes(table)) [table, offset] = [ids[0] ?? null, 0];
    if (table === null) page = {cells: [], rows: [], count: 0};
    else {
      offset = Math.min(offset, Math.max(0, Math.floor((room.tables[table] - 1) / PAGE) * PAGE));
      const asked = {...query, table, offset, limit: PAGE, sort: sort.cell, descending: sort.descending ? 'yes' : null};
      page = (await attempt(() => get('object/store/table', asked))) ?? page;
    }
    if (!isOver && !isEditing) show();
  };

  const show = () => {
    const focused = document.activeElement?.dataset?.path;
    const scrolled = grid.scrollLeft;
    const now = new Map();
    const flash = (path, value) => {
      const text = JSON.stringify(value);
      now.set(path, text);
      return before.size > 0 && before.get(path) !== text ? ' changed' : '';
    };
    showPeople();
    showValues(flash);
    showTables();
    showGrid(flash);
    before = now;
    grid.scrollLeft = scrolled;
    if (focused) element.querySelector(`[data-path="${CSS.escape(focused)}"]`)?.focus();
  };

  const showPeople = () =>
    fill(people, live, room.clients.length === 0 ? h('span', {class: 'faint'}, 'No clients are connected.') : room.clients.map((id) => h('span', {class: 'client', title: `Client ${id}`}, id.slice(0, 8))));

  const showValues = (flash) =>
    fill(
      values,
      Object.entries(room.values).map(([id, value]) =>
        h('div', {class: `pair${flash(`v/${id}`, value)}`}, h('span', {class: 'key', title: id}, id), cell([id], value)),
      ),
      h('button', {class: 'button small ghost', onclick: (event) => addValue(event.target)}, '+ value'),
    );

  const showTables = () =>
    fill(
      tables,
      Object.entries(room.tables).map(([id, count]) =>
        h('button', {class: 'chip', 'aria-pressed': String(id === table), onclick: () => { [table, offset, sort, before] = [id, 0, {cell: null, descending: false}, new Map()]; refresh(); }}, id, h('b', {}, count.toLocaleString('en'))),
      ),
      h('button', {class: 'chip add', onclick: (event) => addRow(event.target, true)}, '+ table'),
    );

  const showGrid = (flash) => {
    if (table === null) {
      fill(grid, h('p', {class: 'faint pad'}, 'There are no tables yet.'));
      fill(pager);
      return;
    }
    const heads = [null, ...page.cells].map((id) => {
      const isSorted = sort.cell === id;
      const arrow = isSorted ? (sort.descending ? ' ↓' : ' ↑') : '';
      const turn = () => {
        sort = {cell: id, descending: isSorted && !sort.descending};
        refresh();
      };
      return h('th', {scope: 'col', 'aria-sort': isSorted ? (sort.descending ? 'descending' : 'ascending') : null}, h('button', {onclick: turn}, id ?? 'row id', arrow));
    });
    const rows = page.rows.map(([rowId, cells]) =>
      h(
        'tr',
        {},
        h('th', {scope: 'row', title: rowId}, rowId),
        page.cells.map((id) => h('td', {class: flash(`${rowId}/${id}`, cells[id])}, cell([table, rowId, id], cells[id]))),
        h('td', {class: 'end'}, h('button', {class: 'icon', 'aria-label': `Delete row ${rowId}`, title: 'Delete row', onclick: () => deleteRow(rowId)}, '×')),
      ),
    );
    fill(grid, h('table', {class: 'grid'}, h('thead', {}, h('tr', {}, heads, h('th', {class: 'end', 'aria-label': 'Actions'}))), h('tbody', {}, rows)));
    const last = Math.min(offset + PAGE, page.count);
    fill(
      pager,
      h('span', {class: 'faint'}, page.count > PAGE ? `${offset + 1}–${last} of ${plural(page.count, 'row')}` : plural(page.count, 'row')),
      page.count > PAGE && h('button', {class: 'button small', disabled: offset === 0, onclick: () => turnTo(offset - PAGE)}, '‹ Back'),
      page.count > PAGE && h('button', {class: 'button small', disabled: last >= page.count, onclick: () => turnTo(offset + PAGE)}, 'Next ›'),
      h('span', {class: 'space'}),
      h('button', {class: 'button small', onclick: (event) => addRow(event.target, false)}, '+ row'),
      page.rows.length > 0 && h('button', {class: 'button small', onclick: (event) => addCell(event.target)}, '+ cell'),
      h('button', {class: 'button small danger ghost', onclick: deleteTable}, 'Delete table'),
    );
  };

  const turnTo = (to) => {
    [offset, before] = [to, new Map()];
    refresh();
  };

  // Editing in place

  const cell = (path, value) => {
    const name = path.join(' ');
    const button = h('button', {class: 'cell', 'aria-label': `${name}: ${value === undefined ? 'empty' : JSON.stringify(value)}`, data: {path: JSON.stringify(path)}, onfocus: () => tell(path), onclick: () => open(button, path, value)}, shown(value));
    return button;
  };

  const open = (button, path, value) => {
    isEditing = true;
    const isCell = path.length === 3;
    const save = (made) => write(isCell ? 'set_cell' : 'set_value', ...path, made);
    const remove = value === undefined ? null : () => write(isCell ? 'del_cell' : 'del_value', ...path);
    button.replaceWith(editor(value, save, () => closed(path), remove));
  };

  const write = (name, ...given) => attempt(() => send('POST', 'object/store/edit', query, {edit: name, arguments: given}));

  const closed = async (path) => {
    isEditing = false;
    await refresh();
    element.querySelector(`[data-path="${CSS.escape(JSON.stringify(path))}"]`)?.focus();
  };

  /** A form for ids and a first value, in place of the button that opened it. */
  const adding = (button, labels, save) => {
    isEditing = true;
    const inputs = labels.map((label) => h('input', {'aria-label': label, placeholder: label}));
    const leave = () => {
      isEditing = false;
      refresh();
    };
    const form = editor(undefined, (made) => save(inputs.map((input) => input.value), made), leave);
    form.prepend(...inputs);
    button.replaceWith(form);
    queueMicrotask(() => queueMicrotask(() => inputs[0].focus()));
  };

  const addValue = (button) => adding(button, ['value id'], ([id], made) => write('set_value', id, made));

  const addCell = (button) => adding(button, ['row id', 'cell id'], ([rowId, id], made) => write('set_cell', table, rowId, id, made));

  const addRow = (button, isNew) =>
    adding(button, isNew ? ['table id', 'row id (or none)', 'cell id'] : ['row id (or none)', 'cell id'], (ids, made) => {
      const [tableId, rowId, id] = isNew ? ids : [table, ...ids];
      if (isNew) table = tableId;
      return rowId === '' ? write('add_row', tableId, {[id]: made}) : write('set_cell', tableId, rowId, id, made);
    });

  const deleteRow = async (rowId) => {
    if (await confirmed('Delete the row?', `${table} / ${rowId} is deleted for all clients.`, 'Delete row')) await edit('del_row', table, rowId);
  };

  const deleteTable = async () => {
    if (await confirmed('Delete the table?', `${table} and its ${plural(page.count, 'row')} are deleted for all clients.`, 'Delete table')) await edit('del_table', table);
  };

  // Who wrote it

  let told = null;

  const tell = async (path) => {
    told = path;
    const names = path.length === 1 ? {value: path[0]} : {table: path[0], row: path[1], cell: path[2]};
    let found;
    try {
      found = await get('object/store/past', {...query, ...names});
    } catch {
      return; // the room says why when it is looked at
    }
    if (told !== path || isOver) return;
    const {present, past} = found;
    if (present.stamp !== null) heard(query, path, present);
    const known = new Set(past.map((each) => each.stamp?.hlc));
    const all = [...past, ...historyOf(query, path).filter((each) => !known.has(each.stamp.hlc))];
    all.sort((a, b) => ((a.stamp?.hlc ?? '') < (b.stamp?.hlc ?? '') ? 1 : -1));
    const isNever = present.stamp === null && present.hash === null;
    fill(
      story,
      h('h3', {}, path.join(' / ')),
      all.length === 0
        ? h('p', {class: 'faint'}, isNever ? 'Nobody has ever written it.' : 'It was there from the beginning, without a time.')
        : h('ol', {class: 'stamps'}, all.map((each, index) => stampLine(each, all[index + 1], each.stamp?.hlc === present.stamp?.hlc))),
      found.cursor !== null && further({...query, ...names}, found.cursor),
      h('p', {class: 'faint small'}, found.kept ? 'Of those that are older than an hour, the last of each minute and author is kept.' : 'Earlier ones are those that this page has seen. Of classes with SQLite storage, a server with --history keeps them.'),
    );
  };

  /** A button that shows what is further in the past, from the cursor on. */
  const further = (asked, cursor) => {
    const button = h('button', {class: 'button small', onclick: async () => {
      const found = await attempt(() => get('object/store/past', {...asked, cursor}));
      if (found === undefined || isOver) return;
      const {past} = found;
      story.querySelector('.stamps')?.append(...past.map((each, index) => stampLine(each, past[index + 1], false)));
      if (found.cursor === null) button.remove();
      else button.replaceWith(further(asked, found.cursor));
    }}, 'Look further back');
    return button;
  };

  /** Why a stamp wins over the one before it: the first of time, counter and client that differs. */
  const reason = (stamp, before) => {
    if (!stamp || !before) return null;
    if (stamp.time !== before.time) return `won by its later time, ${spanOf(stamp.time - before.time)} after the one below`;
    if (stamp.counter !== before.counter) return 'won by its larger counter, at the same time as the one below';
    return stamp.client === before.client ? null : 'won by its greater client, at the same time and counter as the one below';
  };

  const spanOf = (ms) => (ms < 1000 ? `${ms} ms` : fromNow(Date.now() + ms).slice(3));

  const stampLine = (each, before, isPresent) =>
    h(
      'li',
      {class: isPresent ? 'present' : null},
      h('div', {class: 'line'}, thingOf(each), isPresent && h('span', {class: 'tag'}, 'wins')),
      each.author && h('div', {class: 'small', title: authorTitle(each.author)}, 'by ', h('b', {class: 'author'}, who(each.author)), each.times > 1 && ` · the last of ${each.times}`),
      !each.stamp && h('div', {class: 'faint small'}, 'a default, without a time'),
      each.stamp && h(
        'div',
        {class: 'faint small', title: `${fullTime(each.stamp.time)}  ${each.stamp.hlc}`},
        `${clockTime(each.stamp.time)} (${fromNow(each.stamp.time)}) · counter ${each.stamp.counter} · client ${each.stamp.client}`,
        !each.author && each.from && ` · sent by ${each.from === 'S' ? 'the server' : each.from.slice(0, 8)}`,
      ),
      reason(each.stamp, before?.stamp) && h('div', {class: 'faint small'}, reason(each.stamp, before?.stamp)),
    );

  const thingOf = (each) => {
    if (each.deleted) return h('em', {class: 'faint'}, 'deleted');
    if (each.bytes !== undefined) return h('span', {class: 'faint'}, bytes(each.bytes));
    return shown(each.json === undefined ? each.value : JSON.parse(each.json));
  };

  // Arrow keys walk over the grid
  grid.addEventListener('keydown', (event) => {
    const at = event.target.closest?.('td');
    const step = {ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0]}[event.key];
    if (!at || step === undefined || isEditing) return;
    event.preventDefault();
    const row = [...grid.querySelectorAll('tbody tr')][at.parentElement.sectionRowIndex + step[0]];
    row?.children[at.cellIndex + step[1]]?.querySelector('button')?.focus();
  });

  fill(
    element,
    people,
    h('div', {class: 'columns'}, h('div', {class: 'stack'}, h('h2', {}, 'Values'), values, h('h2', {}, 'Tables'), tables, h('div', {class: 'card'}, grid, pager)), story),
  );
  fill(story, h('h3', {}, 'Who wrote it?'), h('p', {class: 'faint'}, 'Choose a cell or a value to see when it was written, and by whom. Enter edits it.'));
  show();
  refresh();
  const again = paced(80, async () => {
    await refresh();
    if (told !== null && !isEditing) await tell(told);
  });
  const stop = follow('object/watch', query, (record) => record.type === 'changed' && again(), (state, why) => {
    live.className = `live ${state}`;
    live.textContent = state === 'on' ? 'live' : why ?? 'connecting';
    if (state === 'on') again();
  });
  const timer = setInterval(() => {
    if (isStale && !isEditing) refresh();
    else if (!isEditing && !document.hidden) get('object/store', query).then((found) => { room = found; if (!isOver && !isEditing) showPeople(); }).catch(() => {});
  }, 2000);
  return () => {
    isOver = true;
    clearInterval(timer);
    stop();
  };
};
