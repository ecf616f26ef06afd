// Stores and synchronizers of the original, of which a test is the network: a command per line of JSON in; out what
// they sent because of it, `[from, to, text]` each, and a result. Timers run when the command `advance` says so.
import {createInterface} from 'node:readline';
import {createMergeableStore} from 'tinybase';
import {createCustomSynchronizer} from 'tinybase/synchronizers';

const UNDEFINED_MARK = '\uFFFC';
const REQUEST_TIMEOUT_SECONDS = 1;

const wireText = (thing) =>
  JSON.stringify(thing, (_key, value) => (value === undefined ? UNDEFINED_MARK : value));

const fromWire = (thing) =>
  Array.isArray(thing)
    ? thing.map(fromWire)
    : thing !== null && typeof thing === 'object'
      ? Object.fromEntries(Object.entries(thing).map(([key, member]) => [key, fromWire(member)]))
      : thing === UNDEFINED_MARK
        ? undefined
        : thing;

const timers = new Map();
let time = 0;
let timerId = 0;

globalThis.setTimeout = (callback, milliseconds = 0) => {
  timers.set(++timerId, {due: time + milliseconds, callback});
  return timerId;
};
globalThis.clearTimeout = (id) => timers.delete(id);

const settle = async () => {
  for (let turn = 0; turn < 5; turn++) {
    await new Promise(setImmediate);
  }
};

const advance = async (milliseconds) => {
  const until = time + milliseconds;
  for (;;) {
    const next = [...timers].filter(([, {due}]) => due <= until).sort(([, a], [, b]) => a.due - b.due)[0];
    if (!next) break;
    const [id, {due, callback}] = next;
    timers.delete(id);
    time = due;
    callback();
    await settle();
  }
  time = until;
};

const camelCase = (name) => name.replace(/_(.)/g, (_match, letter) => letter.toUpperCase());

const peers = new Map();
let sent = [];

class Peer {
  constructor(name) {
    this.name = name;
    this.store = createMergeableStore(name, () => this.now);
  }

  start() {
    this.synchronizer = createCustomSynchronizer(
      this.store,
      (to, ...message) => sent.push([this.name, to ?? null, wireText(message)]),
      (receive) => (this.receiveMessage = receive),
      () => {},
      REQUEST_TIMEOUT_SECONDS,
    );
    this.synchronizer.startSync();
  }

  restart() {
    this.synchronizer?.destroy();
    this.start();
  }

  edit({operations}) {
    this.store.transaction(() =>
      operations.forEach(([name, ...args]) => this.store[camelCase(name)](...args)),
    );
  }

  receive({from, text}) {
    this.receiveMessage(from, ...fromWire(JSON.parse(text)));
  }

  load() {
    this.synchronizer.load();
  }

  save() {
    this.synchronizer.save();
  }

  isWaiting() {
    return this.synchronizer.getStatus() !== 0 || timers.size > 0;
  }

  state() {
    return [this.store.getContent(), wireText(this.store.__[1]()), this.store.getMergeableContentHashes()];
  }
}

for await (const line of createInterface({input: process.stdin})) {
  const command = JSON.parse(line);
  sent = [];
  let result = null;
  if (command.op === 'advance') {
    await advance(command.milliseconds);
  } else {
    if (command.op === 'make') {
      peers.get(command.peer)?.synchronizer.destroy();
      peers.set(command.peer, new Peer(command.peer));
    }
    const peer = peers.get(command.peer);
    peer.now = command.now;
    result = (command.op === 'make' ? peer.start() : peer[command.op](command)) ?? null;
    await settle();
  }
  console.log(JSON.stringify({sent, result}));
}
