// The original's persister of one place: told on stdin what to do, tells the content after each step.
import {createInterface} from 'node:readline';
import Database from 'libsql';
import pg from 'pg';
import postgres from 'postgres';
import {createMergeableStore, createStore} from 'tinybase';
import {createBetterSqlite3Persister} from 'tinybase/persisters/persister-better-sqlite3';
import {createFilePersister} from 'tinybase/persisters/persister-file';
import {createPgPersister} from 'tinybase/persisters/persister-pg';
import {createPostgresPersister} from 'tinybase/persisters/persister-postgres';

const {kind, place, config, isMergeable} = JSON.parse(process.argv[2]);
const store = isMergeable ? createMergeableStore() : createStore();
const errors = [];
const onIgnoredError = (error) => errors.push(error.message);

const kinds = {
  file: () => [createFilePersister(store, place, onIgnoredError), () => {}],
  sqlite: () => {
    // This driver has the face of better-sqlite3 and needs no compiler
    const db = new Database(place);
    return [createBetterSqlite3Persister(store, db, config, undefined, onIgnoredError), () => db.close()];
  },
  pg: async () => {
    const client = new pg.Client(place);
    await client.connect();
    return [await createPgPersister(store, client, config, undefined, onIgnoredError), () => client.end()];
  },
  postgres: async () => {
    const sql = postgres(place, {onnotice: () => {}});
    return [await createPostgresPersister(store, sql, config, undefined, onIgnoredError), () => sql.end()];
  },
};
const [persister, close] = await kinds[kind]();

const sorted = (thing) =>
  thing && typeof thing === 'object' && !Array.isArray(thing)
    ? Object.fromEntries(Object.keys(thing).sort().map((key) => [key, sorted(thing[key])]))
    : thing;
const text = ([tables, values]) => JSON.stringify([sorted(tables), sorted(values)]);

const until = (content) =>
  new Promise((resolve) => {
    const look = () => {
      if (text(store.getContent()) === text(content)) {
        store.delListener(id);
        resolve();
      }
    };
    const id = store.addDidFinishTransactionListener(look);
    look();
  });

// The original loads again what it has saved itself, and loses what is edited meanwhile
const quiet = async () => {
  let before;
  while (before !== JSON.stringify(persister.getStats()) || persister.getStatus()) {
    before = JSON.stringify(persister.getStats());
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
};

const actions = {
  call: ([method, ...args]) => store[method](...args),
  load: () => persister.load(),
  save: () => persister.save(),
  startAutoLoad: () => persister.startAutoLoad(),
  startAutoSave: () => persister.startAutoSave(),
  startAutoPersisting: () => persister.startAutoPersisting(),
  settle: () => persister.schedule(async () => {}),
  until,
  quiet,
  destroy: async () => {
    await persister.destroy();
    await close();
  },
};

for await (const line of createInterface({input: process.stdin})) {
  const [action, argument] = JSON.parse(line);
  await actions[action](argument);
  const hashes = isMergeable ? store.getMergeableContentHashes() : null;
  console.log(JSON.stringify({content: store.getContent(), hashes, errors: errors.splice(0)}));
}
