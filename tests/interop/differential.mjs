// Runs programs of store operations in the original: a program per line of JSON in, what was observed
// per line of JSON out. `differential_durabase.py` does the same in durabase; the forms are described there.
import {createInterface} from 'node:readline';
import {createMergeableStore} from 'tinybase';

const UNDEFINED_MARK = '\uFFFC';

// -- tagged JSON, see the recordings' README

const isSurrogatePoor = (text) => !text.isWellFormed();

const tag = (thing) => {
  if (thing === undefined) return {$: 'undefined'};
  if (typeof thing == 'number' && (!Number.isFinite(thing) || Object.is(thing, -0)))
    return {$: 'number', v: Object.is(thing, -0) ? '-0' : String(thing)};
  if (typeof thing == 'string' && isSurrogatePoor(thing))
    return {$: 'utf16', v: [...Array(thing.length).keys()].map((index) => thing.charCodeAt(index))};
  if (typeof thing == 'function') return {$: 'function'};
  if (Array.isArray(thing)) return thing.map(tag);
  if (thing !== null && typeof thing == 'object')
    return Object.fromEntries(Object.entries(thing).map(([key, member]) => [key, tag(member)]));
  return thing;
};

const FUNCTIONS = {
  add1: (old) => (typeof old == 'number' ? old + 1 : 1),
  concat: (old) => (typeof old == 'string' ? old + 'x' : 'x'),
};

const untagTagged = (kind, value) =>
  kind == 'undefined'
    ? undefined
    : kind == 'number'
      ? Number(value)
      : kind == 'utf16'
        ? String.fromCharCode(...value)
        : kind == 'object'
          ? Object.fromEntries(value.map(([key, member]) => [key, untag(member)]))
          : FUNCTIONS[value];

const untag = (thing) =>
  Array.isArray(thing)
    ? thing.map(untag)
    : thing !== null && typeof thing == 'object'
      ? '$' in thing
        ? untagTagged(thing.$, thing.v)
        : Object.fromEntries(Object.entries(thing).map(([key, member]) => [key, untag(member)]))
      : thing;

const wireText = (thing) =>
  JSON.stringify(thing, (_key, value) => (value === undefined ? UNDEFINED_MARK : value));

// -- a program

class Deliberate extends Error {}

class Run {
  constructor(program) {
    this.now = program.start;
    this.isEager = program.eager;
    this.messages = [];
    this.stores = program.stores.map((uniqueId) => createMergeableStore(uniqueId, () => this.now));
    this.did = this.stores.map(() => []);
    this.calls = [];
    this.listenerIds = this.stores.map(() => []);
    this.stores.forEach((store, index) =>
      store.addDidFinishTransactionListener(() => this.didFinish(store, index)),
    );
  }

  didFinish(store, index) {
    const changes = store.__[2](false);
    const text = wireText(changes);
    if (text != '[[{}],[{}],1]') this.messages.push(changes);
    this.did[index].push({
      changes: store.getTransactionChanges(),
      log: store.getTransactionLog(),
      mergeable: text,
      ...(this.isEager ? {hashed: wireText(store.__[2](true))} : {}),
    });
  }

  step(step) {
    this.now = step.now;
    this.calls = [];
    this.did = this.stores.map(() => []);
    let result;
    try {
      result = this.operate(step.store, step);
    } catch (error) {
      result = error instanceof Deliberate ? 'deliberate' : 'threw';
    }
    return {
      result,
      did: this.did,
      calls: this.calls,
      stores: this.stores.map((store) => this.look(store, this.isEager)),
    };
  }

  look(store, isWhole) {
    const rows = (tableId) => store.getRowIds(tableId).map((rowId) => [rowId, store.getCellIds(tableId, rowId)]);
    const order = [store.getTableIds().map((tableId) => [tableId, rows(tableId)]), store.getValueIds()];
    const seen = {content: store.getContent(), json: store.getJson(), schema: store.getSchemaJson(), order};
    if (isWhole) {
      seen.stored = wireText(store.__[1]());
      seen.mutated = store.__[0]() ? 1 : 0;
      try {
        seen.mergeable = store.getMergeableContent();
      } catch {
        seen.mergeable = 'threw';
      }
    }
    return seen;
  }

  operate(index, step) {
    const store = this.stores[index];
    const {op} = step;
    if (op == 'transaction')
      return store.transaction(
        () => step.ops.forEach((inner) => this.operate(index, inner)),
        step.rollback ? () => true : undefined,
      );
    if (op == 'throwing')
      return store.transaction(() => {
        step.ops.forEach((inner) => this.operate(index, inner));
        throw new Deliberate();
      });
    if (op == 'deliver')
      return this.messages.length
        ? this.plain(store.__[4](this.messages[step.message % this.messages.length]), store)
        : undefined;
    if (op == 'applyEncoded') return this.plain(store.__[4](untag(step.args[0])), store);
    if (op == 'setEncoded') return this.plain(store.__[3](untag(step.args[0])), store);
    if (op == 'give') return this.plain(store.__[4](this.stores[step.other].__[1]()), store);
    if (op == 'copy') return this.plain(store.__[3](this.stores[step.other].__[1]()), store);
    if (op == 'merge') return this.plain(store.merge(this.stores[step.other]), store);
    if (op == 'pull') return this.pull(store, this.stores[step.other]);
    if (op == 'listen') return this.listen(index, step);
    if (op == 'callListener' || op == 'delListener') {
      const ids = this.listenerIds[index];
      return ids.length ? this.plain(store[op](ids[step.listener % ids.length]), store) : undefined;
    }
    return this.plain(store[op](...untag(step.args)), store);
  }

  plain(result, store) {
    return result === store ? undefined : result;
  }

  pull(ours, theirs) {
    const [tables, differingTables] = theirs.getMergeableTableDiff(ours.getMergeableTableHashes());
    const [rows, differingRows] = theirs.getMergeableRowDiff(ours.getMergeableRowHashes(differingTables));
    const cells = theirs.getMergeableCellDiff(ours.getMergeableCellHashes(differingRows));
    const values = theirs.getMergeableValueDiff(ours.getMergeableValueHashes());
    const answers = [tables, rows, cells].map((stamp) => [stamp, [{}], 1]);
    answers.push([[{}], values, 1]);
    answers.forEach((answer) => ours.__[4](answer));
    return wireText([answers, differingTables, differingRows]);
  }

  listen(index, {kind, args, mutator, action, probe}) {
    const store = this.stores[index];
    const number = `${index}:${this.listenerIds[index].length}`;
    const listener = (got, ...told) => {
      if (got !== store) throw new Error('another store was told');
      while (told.length && told[told.length - 1] === undefined) told.pop();
      const last = told.length - 1;
      const seen = [number, told.map((one) => this.toldAs(one))];
      if (kind.endsWith('Ids') && kind != 'SortedRowIds' && typeof told[last] == 'function')
        seen[1][last] = {ids: told[last]()};
      else if (probe && typeof told[last] == 'function') seen.push(told[last](...probe));
      this.calls.push(seen);
      if (action) {
        const result = this.operate(index, action);
        if (result !== undefined) seen.push(result);
      }
    };
    const id = store[`add${kind}Listener`](...untag(args), listener, ...(mutator === undefined ? [] : [mutator]));
    this.listenerIds[index].push(id);
    return id;
  }

  toldAs(thing) {
    if (typeof thing == 'function') return 'function';
    return Array.isArray(thing) ? [...thing] : thing; // lists of invalid things grow afterwards
  }

  finish() {
    return this.stores.map((store) => ({
      ...this.look(store, true),
      hashes: [
        store.getMergeableContentHashes(),
        store.getMergeableTableHashes(),
        store.getMergeableValueHashes(),
        store.getListenerStats(),
      ],
    }));
  }
}

for await (const line of createInterface({input: process.stdin})) {
  const program = JSON.parse(line);
  const run = new Run(program);
  const steps = program.steps.map((step) => tag(run.step(step)));
  process.stdout.write(`${JSON.stringify({steps, end: tag(run.finish())})}\n`);
}
