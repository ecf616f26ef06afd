// Runs programs of a store and listeners in the original: one program on each line, what was told on the next.
import {createInterface} from 'node:readline';
import {createStore} from 'tinybase';

const plain = (thing) => (thing === undefined ? '(undefined)' : typeof thing === 'function' ? '(function)' : thing);

// Keys of other characters count as empty: JavaScript and Python measure them differently.
const length = (key) => (typeof key === 'string' && /^[\x00-\x7f]*$/.test(key) ? key.length : 0);
const SORTERS = {
  length: (one, other) => length(one) - length(other),
  backwards: (one, other) => length(other) - length(one),
  none: () => 0,
};

// Both ways to call: with an object, which alone may have a sorter, and without.
const addSortedRowIdsListener = (store, options, listener, isMutator) => {
  const {tableId, descending, offset} = options;
  const [cellId, limit, sorter] = [options.cellId ?? undefined, options.limit ?? undefined, SORTERS[options.sorter]];
  return sorter === undefined && descending
    ? store.addSortedRowIdsListener(tableId, cellId, descending, offset, limit, listener, isMutator)
    : store.addSortedRowIdsListener({tableId, cellId, descending, offset, limit, sorter}, listener, isMutator);
};

const run = (program) => {
  const store = createStore();
  const told = [];
  const ids = new Map();

  const act = ([action, ...args]) => {
    if (action === 'listen') {
      const [name, kind, path, isMutator, reactions] = args;
      const listener = (_store, ...rest) => {
        while (rest.length && rest.at(-1) === undefined) {
          rest.pop();
        }
        told.push([name, ...rest.map(plain)]);
        reactions.forEach(act);
      };
      const flags = kind.endsWith('Transaction') ? [] : [isMutator];
      const id =
        kind === 'SortedRowIds'
          ? addSortedRowIdsListener(store, path[0], listener, isMutator)
          : store[`add${kind}Listener`](...path, listener, ...flags);
      ids.set(name, id);
      told.push(['listens', name, ids.get(name)]);
    } else if (action === 'unlisten') {
      store.delListener(ids.get(args[0]) ?? 'none');
    } else if (action === 'ring') {
      store.callListener(ids.get(args[0]) ?? 'none');
    } else if (action === 'throw') {
      throw new Error(args[0]);
    } else {
      store[action](...args);
    }
  };

  for (const step of program) {
    try {
      store.transaction(() => step.forEach(act));
    } catch (error) {
      told.push(['threw', error.message]);
    }
    told.push(['content', store.getContent(), store.getListenerStats()]);
  }
  return told;
};

for await (const line of createInterface({input: process.stdin})) {
  console.log(JSON.stringify(run(JSON.parse(line))));
}
