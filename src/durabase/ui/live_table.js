// The browser's half of LiveTable. Cells are patched, not drawn anew, so that somebody who is
// typing keeps the focus while others edit.

const textOf = (cell) =>
  cell === undefined || cell === null ? '' : typeof cell === 'string' ? cell : JSON.stringify(cell);

const parsed = (text) => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

// What a text is as a cell: of the kind that the cell has; what it looks like, if there is none.
const cellOf = (text, before) => {
  if (typeof before === 'string') {
    return text;
  }
  const cell = parsed(text);
  if (before === undefined || before === null) {
    return text === '' ? before : cell === undefined ? text : cell;
  }
  const isSameKind = typeof cell === typeof before && Array.isArray(cell) === Array.isArray(before);
  return isSameKind && cell !== null ? cell : undefined;
};

const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

const render = ({model, el}) => {
  const heads = element('tr');
  const body = element('tbody');
  const previous = element('button', {type: 'button', textContent: '←', ariaLabel: 'Previous page'});
  const next = element('button', {type: 'button', textContent: '→', ariaLabel: 'Next page'});
  const add = element('button', {type: 'button', textContent: 'Add a row'});
  const range = element('span');
  const said = element('span', {role: 'status'});
  const table = element('table', {}, element('thead', {}, heads), body);
  el.classList.add('durabase-live-table');
  el.append(table, element('footer', {}, previous, range, next, add, said));

  let columns = [];
  const rows = new Map();

  const save = (changes) => {
    Object.entries(changes).forEach(([name, value]) => model.set(name, value));
    model.save_changes();
  };
  const sortBy = (column) =>
    save({
      descending: model.get('sort_by') === column && !model.get('descending'),
      sort_by: column,
      offset: 0,
    });
  const turn = (pages) => save({offset: Math.max(0, model.get('offset') + pages * model.get('limit'))});
  const edit = (message) => {
    said.textContent = '';
    model.send(message);
  };

  const makeCell = (row, column) => {
    const input = element('input', {ariaLabel: `${column} of ${row.id}`});
    const cell = {input, td: element('td', {}, input), value: undefined};
    const commit = () => {
      if (input.type === 'checkbox') {
        edit({kind: 'set', row: row.id, cell: column, value: input.checked});
        return;
      }
      const value = cellOf(input.value, cell.value);
      if (value !== undefined && input.value !== textOf(cell.value)) {
        edit({kind: 'set', row: row.id, cell: column, value});
        return;
      }
      said.textContent = value === undefined ? `${column} of ${row.id} is of another kind` : '';
      show(cell, cell.value, true);
    };
    input.addEventListener('change', commit);
    input.addEventListener('keydown', (event) => event.key === 'Escape' && show(cell, cell.value, true));
    return cell;
  };

  const show = (cell, value, isForced = false) => {
    const {input} = cell;
    const isTyping = document.activeElement === input && input.value !== textOf(cell.value);
    cell.value = value;
    input.readOnly = input.disabled = !model.get('editable');
    input.type = typeof value === 'boolean' ? 'checkbox' : 'text';
    input.placeholder = value === null ? 'null' : '';
    if (input.type === 'checkbox') {
      input.checked = value;
    } else if (isForced || !isTyping) {
      input.value = textOf(value);
    }
  };

  const makeRow = (id) => {
    const row = {id, cells: new Map(), tr: element('tr', {}, element('th', {scope: 'row', textContent: id}))};
    row.end = element('td');
    if (model.get('editable')) {
      const remove = element('button', {type: 'button', textContent: '×', ariaLabel: `Delete ${id}`});
      remove.addEventListener('click', () => edit({kind: 'delete', row: id}));
      row.end.append(remove);
    }
    row.tr.append(row.end);
    return row;
  };

  const place = (parent, child, position) =>
    parent.children[position] === child || parent.insertBefore(child, parent.children[position] ?? null);

  const drop = (items, isKept, nodeOf) =>
    [...items].filter(([key]) => !isKept(key)).forEach(([key, item]) => {
      nodeOf(item).remove();
      items.delete(key);
    });

  const arrangeCells = (row) => {
    drop(row.cells, (column) => columns.includes(column), ({td}) => td);
    columns.forEach((column, position) => {
      const cell = row.cells.get(column) ?? makeCell(row, column);
      row.cells.set(column, cell);
      place(row.tr, cell.td, position + 1);
    });
  };

  const showHeads = () =>
    heads.replaceChildren(
      ...[null, ...columns].map((column) => {
        const isSorted = model.get('sort_by') === column;
        const button = element('button', {type: 'button', textContent: column ?? 'id'});
        button.addEventListener('click', () => sortBy(column));
        const sorted = isSorted ? (model.get('descending') ? 'descending' : 'ascending') : 'none';
        return element('th', {scope: 'col', ariaSort: sorted}, button);
      }),
      element('th'),
    );

  const showPage = () => {
    const page = JSON.parse(model.get('page') || '{"columns":[],"rows":[],"total":0}');
    const ids = new Set(page.rows.map(([id]) => id));
    columns = page.columns;
    drop(rows, (id) => ids.has(id), ({tr}) => tr);
    page.rows.forEach(([id, cells], position) => {
      const row = rows.get(id) ?? makeRow(id);
      rows.set(id, row);
      place(body, row.tr, position);
      arrangeCells(row);
      row.cells.forEach((cell, column) => show(cell, cells[column]));
    });
    showHeads();
    const start = model.get('offset');
    const end = start + page.rows.length;
    range.textContent = end > start ? `${start + 1} to ${end} of ${page.total}` : `none of ${page.total}`;
    previous.disabled = start === 0;
    next.disabled = end >= page.total;
    add.hidden = !model.get('can_add');
  };

  const hear = (message) => {
    if (message.kind === 'refused') {
      said.textContent = `Not done: ${message.why}`;
      const cell = rows.get(message.edit?.row)?.cells.get(message.edit?.cell);
      cell && show(cell, cell.value, true);
    }
  };

  previous.addEventListener('click', () => turn(-1));
  next.addEventListener('click', () => turn(1));
  add.addEventListener('click', () => edit({kind: 'add'}));
  const changes = ['page', 'sort_by', 'descending', 'offset'].map((name) => `change:${name}`);
  changes.forEach((change) => model.on(change, showPage));
  model.on('msg:custom', hear);
  showPage();
  return () => {
    changes.forEach((change) => model.off(change, showPage));
    model.off('msg:custom', hear);
  };
};

export default {render};
