// Runs programs of a store and listeners in the original: one program on each line, what was told on the next.
import {createInterface} from 'node:readline';
import {createStore} from 'tinybase';

const plain = (thing) => (thing === undefined ? '(undefined)' : typeof thing === 'function' ? '(function)' : thing);

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
      ids.set(name, store[`add${kind}Listener`](...path, listener, ...flags));
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
