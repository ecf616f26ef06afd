// The original's persister of one place: told on stdin what to do, tells the content after each step.
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {createInterface} from 'node:readline';
import Database from 'libsql';
import pg from 'pg';
import postgres from 'postgres';
import {createMergeableStore, createStore} from 'tinybase';
import {createBetterSqlite3Persister} from 'tinybase/persisters/persister-better-sqlite3';
import {createDurableObjectSqlStoragePersister} from 'tinybase/persisters/persister-durable-object-sql-storage';
import {createDurableObjectStoragePersister} from 'tinybase/persisters/persister-durable-object-storage';
import {createFilePersister} from 'tinybase/persisters/persister-file';
import {createPgPersister} from 'tinybase/persisters/persister-pg';
import {createPostgresPersister} from 'tinybase/persisters/persister-postgres';

const {kind, place, config, isMergeable} = JSON.parse(process.argv[2]);
const NOW = 1_700_000_000_000;
const store = isMergeable ? createMergeableStore('s1', () => NOW) : createStore();
const errors = [];
const onIgnoredError = (error) => errors.push(error.message);

// The storage of a Durable Object, kept in a file: a line for every entry, in the order of the keys
const isDeleted = (value) => Array.isArray(value) && value[0] === undefined;
class KeyValueStorage {
  #entries = existsSync(place)
    ? readFileSync(place, 'utf8')
        .split('\n')
        .filter((line) => line)
        .map((line) => JSON.parse(line))
        .map(([key, value, deleted]) => [key, deleted ? [undefined, ...value.slice(1)] : value])
    : [];
  async list({prefix}) {
    return new Map(this.#entries.filter(([key]) => key.startsWith(prefix)));
  }
  async transaction(actions) {
    await actions({put: async (entries) => this.#put(entries)});
  }
  #put(entries) {
    const all = new Map([...this.#entries, ...Object.entries(entries)]);
    this.#entries = [...all.entries()].sort(([one], [other]) => (one < other ? -1 : 1));
    const lines = this.#entries.map(([key, value]) => JSON.stringify([key, value, isDeleted(value)]));
    writeFileSync(place, lines.join('\n') + '\n');
  }
}

class SqlStorage {
  #db = new Database(place);
  exec(sql, ...params) {
    // As there, several statements may stand in one text
    const statements = params.length ? [sql] : sql.split(';').filter((statement) => statement.trim());
    const results = statements.map((statement) => {
      const prepared = this.#db.prepare(statement);
      return prepared.reader ? prepared.all(...params) : (prepared.run(...params), []);
    });
    return {toArray: () => results.at(-1)};
  }
}

const kinds = {
  kv: () => [createDurableObjectStoragePersister(store, new KeyValueStorage(), config ?? undefined, onIgnoredError), () => {}],
  sql: () => [
    createDurableObjectSqlStoragePersister(store, new SqlStorage(), config ?? undefined, undefined, onIgnoredError),
    () => {},
  ],
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
