// What library.py measures, with TinyBase in V8: µs of processor time a unit, as one line of JSON.
import {createMergeableStore, createStore, getHash, getHlcFunctions} from 'tinybase';

const scale = Number(process.argv[2] ?? 1);
const [warming, tries] = scale === 1 ? [3, 10] : [1, 2];
const small = Math.max(20, Math.floor(5000 * scale));
const largeRows = Math.max(10, Math.floor(10000 * scale));
const [nextHlc] = getHlcFunctions('s2');
const range = (length) => [...Array(length).keys()];
const figures = {};

const measure = (name, units, action) => {
  for (let i = 0; i < warming; i++) {
    action();
  }
  const start = process.cpuUsage();
  for (let i = 0; i < tries; i++) {
    action();
  }
  const used = process.cpuUsage(start);
  figures[name] = (used.user + used.system) / tries / units;
};

const oneCell = (index) => [
  [{pets: [{['r' + (index % 100)]: [{['c' + (index % 4)]: [index, nextHlc()]}]}]}],
  [{}],
  1,
];
const tableOf = (rows) => {
  const row = (number) => [Object.fromEntries(range(10).map((c) => ['c' + c, [number * c, nextHlc()]]))];
  return [[{t: [Object.fromEntries(range(rows).map((number) => ['r' + number, row(number)]))]}], [{}], 1];
};
const ids = range(small).map((index) => ['r' + (index % 100), 'c' + (index % 4), index]);
const setCells = (store) => {
  for (const [rowId, cellId, cell] of ids) {
    store.setCell('pets', rowId, cellId, cell);
  }
};
const mergeAll = (changes, read) => {
  const store = createMergeableStore('s1');
  changes.forEach((change) => store.applyMergeableChanges(read(change)));
};
const setCellsAtOnce = (store) => store.transaction(() => setCells(store));
const setCellsHeard = () => {
  const store = createStore();
  range(100).forEach((row) => store.addCellListener('pets', 'r' + row, null, () => {}));
  setCells(store);
};

const changes = range(small).map(oneCell);
const texts = changes.map((change) => JSON.stringify(change));
measure('merge a change of one cell', small, () => mergeAll(changes, (change) => change));
measure('parse and merge a change of one cell', small, () => mergeAll(texts, JSON.parse));
measure('set_cell, mergeable', small, () => setCells(createMergeableStore('s1')));
measure('set_cell, mergeable, many a transaction', small, () => setCellsAtOnce(createMergeableStore('s1')));
measure('set_cell, plain', small, () => setCells(createStore()));
measure('set_cell, plain, many a transaction', small, () => setCellsAtOnce(createStore()));
measure('set_cell with a listener called', small, setCellsHeard);
measure('hash of 35 bytes', small, () => {
  for (let i = 0; i < small; i++) getHash('abcdefghijklmnopqrstuvwxyz012345678');
});

const middle = tableOf(Math.floor(largeRows / 10));
const large = tableOf(largeRows);
const cells = largeRows * 10;
measure('merge 10,000 cells, a cell', Math.floor(cells / 10), () =>
  createMergeableStore('s1').applyMergeableChanges(middle),
);
const full = createMergeableStore('s1').applyMergeableChanges(large);
measure('content of 100,000 cells with stamps, a cell', cells, () => full.getMergeableContent());
measure('tables of 100,000 cells, a cell', cells, () => full.getTables());
measure('JSON of 100,000 cells, a cell', cells, () => full.getJson());
const text = full.getJson();
measure('from JSON of 100,000 cells, a cell', cells, () => createStore().setJson(text));
const content = full.getMergeableContent();
measure('cold load of 100,000 cells with stamps, a cell', cells, () =>
  createMergeableStore('s3').setMergeableContent(content),
);
console.log(JSON.stringify(figures));
