// One life of the original's remote persister: told on stdin what to do, tells the content after each step.
import {createInterface} from 'node:readline';
import {createStore} from 'tinybase';
import {createRemotePersister} from 'tinybase/persisters/persister-remote';

const [url, seconds] = process.argv.slice(2);
const store = createStore();
const errors = [];
const persister = createRemotePersister(store, url, url, Number(seconds), (error) =>
  errors.push(error.status ?? error.name),
);

const until = (values) =>
  new Promise((resolve) => {
    const look = () => {
      if (JSON.stringify(store.getValues()) === JSON.stringify(values)) {
        store.delListener(id);
        resolve();
      }
    };
    const id = store.addValuesListener(look);
    look();
  });

const actions = {
  set: ([tables, values]) => store.setContent([tables, values]),
  // Without a moment between in which what was polled could replace what was set.
  setAndSave: (content) => {
    actions.set(content);
    return persister.save();
  },
  load: (initial) => persister.load(initial ?? undefined),
  save: () => persister.save(),
  startAutoLoad: () => persister.startAutoLoad(),
  until,
  destroy: () => persister.destroy(),
};

for await (const line of createInterface({input: process.stdin})) {
  const [action, argument] = JSON.parse(line);
  await actions[action](argument);
  console.log(JSON.stringify({content: store.getContent(), errors}));
}
