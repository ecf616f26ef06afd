// Holds TinyBase clients of any major and does what it is told, one JSON object per line:
// in  {id, do, client, ...}   out  {id, result} or {id, error}
import {createInterface} from 'node:readline';
import {isDeepStrictEqual} from 'node:util';
import {WebSocket} from 'ws';

const clients = new Map();
const sockets = new Map();
const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

const until = async (isDone, seconds, describe) => {
  const end = performance.now() + seconds * 1000;
  while (!isDone()) {
    if (performance.now() > end) {
      throw new Error(`not within ${seconds} s: ${describe()}`);
    }
    await wait(10);
  }
};

const tap = (client, socket) => {
  const send = socket.send.bind(socket);
  socket.send = (payload) => {
    client.transcript.push(['>', payload]);
    send(payload);
  };
  socket.on('message', (data) => client.transcript.push(['<', data.toString('utf8')]));
  socket.on('close', (code, reason) => client.closes.push([code, reason.toString('utf8')]));
};

// As plain JSON: the majors differ in what prototypes their objects have.
const content = (name) => JSON.parse(JSON.stringify(clients.get(name).store.getContent()));
const hashes = (name) => clients.get(name).store.getMergeableContentHashes();

const actions = {
  // A client with a store, not yet connected.
  // `now` stops its clock there, until `setNow` moves it (since major 8).
  async open({client: name, major = 10, uniqueId, now}) {
    const {createMergeableStore} = await import(`tinybase${major}`);
    const client = {major, now, transcript: [], closes: [], errors: []};
    client.store = createMergeableStore(uniqueId, now ? () => client.now : undefined);
    clients.set(name, client);
  },

  async setNow({client, now}) {
    clients.get(client).now = now;
  },

  async connect({client: name, url, fragmentSize, requestTimeoutSeconds = 1, start = true}) {
    const client = clients.get(name);
    const {createWsSynchronizer} = await import(`tinybase${client.major}/synchronizers/synchronizer-ws-client`);
    const socket = new WebSocket(url);
    socket.on('error', (error) => client.errors.push(String(error.message)));
    tap(client, socket);
    client.socket = socket;
    client.synchronizer = await createWsSynchronizer(
      client.store,
      socket,
      requestTimeoutSeconds,
      undefined,
      undefined,
      (error) => client.errors.push(String(error?.message ?? error)),
      fragmentSize,
    );
    if (start) {
      await client.synchronizer.startSync();
    }
  },

  // One store of several over the socket of this name, which is opened with the first (since major 9).
  async connectChannel({client: name, socket: socketName, url, channelId, requestTimeoutSeconds = 1}) {
    const client = clients.get(name);
    const {createWsSynchronizer} = await import(`tinybase${client.major}/synchronizers/synchronizer-ws-client`);
    if (!sockets.has(socketName)) {
      sockets.set(socketName, new WebSocket(url, 'tinybase'));
    }
    client.socket = sockets.get(socketName);
    client.synchronizer = await createWsSynchronizer(
      client.store,
      client.socket,
      channelId,
      requestTimeoutSeconds,
      undefined,
      undefined,
      (error) => client.errors.push(String(error?.message ?? error)),
    );
    await client.synchronizer.startSync();
  },

  async start({client}) {
    await clients.get(client).synchronizer.startSync();
  },

  async disconnect({client}) {
    await clients.get(client).synchronizer.destroy();
  },

  // The network is gone: no Close frame, no warning.
  async cut({client: name}) {
    const client = clients.get(name);
    client.socket.terminate();
    await until(() => client.socket.readyState === WebSocket.CLOSED, 5, () => 'socket open');
    await client.synchronizer.destroy();
  },

  async call({client, method, args = []}) {
    const result = clients.get(client).store[method](...args);
    return typeof result === 'object' && result?.getContent ? null : (result ?? null);
  },

  // Many edits in one transaction: [[method, ...args], ...]
  async edit({client, edits}) {
    const {store} = clients.get(client);
    store.transaction(() => edits.forEach(([method, ...args]) => store[method](...args)));
  },

  async content({client}) {
    return content(client);
  },

  async hashes({client}) {
    return hashes(client);
  },

  async send({client, payload}) {
    clients.get(client).socket.send(payload);
  },

  async log({client}) {
    const {transcript, closes, errors} = clients.get(client);
    return {transcript, closes, errors};
  },

  // Waits until these clients hold one content with one pair of hashes, and gives it.
  async converge({names, seconds = 20}) {
    const [first, ...others] = names;
    const isSame = () =>
      others.every(
        (other) => isDeepStrictEqual(hashes(first), hashes(other)) && isDeepStrictEqual(content(first), content(other)),
      );
    await until(isSame, seconds, () => JSON.stringify(names.map((name) => [name, hashes(name), content(name)])).slice(0, 4000));
    return content(first);
  },

  async waitForHashes({client, expected, seconds = 20}) {
    await until(
      () => isDeepStrictEqual(hashes(client), expected),
      seconds,
      () => `${JSON.stringify(hashes(client))}, expected ${JSON.stringify(expected)}`,
    );
  },

  async waitForContent({client, expected, seconds = 20}) {
    await until(
      () => isDeepStrictEqual(content(client), expected),
      seconds,
      () => `${JSON.stringify(content(client)).slice(0, 2000)}, expected ${JSON.stringify(expected).slice(0, 2000)}`,
    );
  },

  async waitForClose({client, seconds = 20}) {
    const {closes} = clients.get(client);
    await until(() => closes.length > 0, seconds, () => 'still open');
    return closes[0];
  },
};

const lines = createInterface({input: process.stdin});
lines.on('line', async (line) => {
  const {id, do: action, ...rest} = JSON.parse(line);
  let answer;
  try {
    answer = {id, result: (await actions[action](rest)) ?? null};
  } catch (error) {
    answer = {id, error: String(error?.stack ?? error)};
  }
  process.stdout.write(JSON.stringify(answer) + '\n');
});
lines.on('close', () => process.exit(0));
process.on('unhandledRejection', (error) => process.stderr.write(`unhandled: ${error?.stack ?? error}\n`));
