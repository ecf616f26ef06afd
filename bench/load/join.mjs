// Real TinyBase clients in Node.
//   node join.mjs hash URL               the hash of the tables in the server's store
//   node join.mjs join URL HASH TIMES    new, empty clients join one after the other until they have it;
//                                        after each another one, to which its answers are given at once
//   node join.mjs ask URL TIMES          asks the server for everything, without a store
import {createMergeableStore} from 'tinybase';
import {createWsSynchronizer} from 'tinybase/synchronizers/synchronizer-ws-client';
import {WebSocket} from 'ws';

const [, , command, url, ...args] = process.argv;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
setTimeout(() => {
  console.error('join.mjs: time limit');
  process.exit(5);
}, 120000).unref();

const open = async () => {
  const webSocket = new WebSocket(url, {perMessageDeflate: false, maxPayload: 1 << 28});
  await new Promise((resolve, reject) => webSocket.on('open', resolve).on('error', reject));
  return webSocket;
};

// One question to the server's own client.
const ask = (webSocket, message, body) =>
  new Promise((resolve, reject) => {
    const id = 'ask' + Math.random();
    const timer = setTimeout(() => reject(new Error('no answer to ' + message)), 20000);
    const listener = (data) => {
      const text = data.toString();
      if (text.startsWith('S\n') && text.slice(2, 60).includes(id)) {
        clearTimeout(timer);
        webSocket.off('message', listener);
        resolve(text);
      }
    };
    webSocket.on('message', listener);
    webSocket.send('S\n' + JSON.stringify([id, message, body]));
  });

// The hash of all tables in the server's store.
const tablesHash = async () => {
  const webSocket = await open();
  const answer = await ask(webSocket, 1, '');
  webSocket.terminate();
  return JSON.parse(answer.slice(2))[2][0];
};

// The id of a request or of its answer, and what stands before and after it.
const partsOf = (text) => text.match(/^([^\n]*\n\[)("[^"]*")(.*)$/s)?.slice(1) ?? [text, '', ''];

// What was answered to each request, by the request without its id, of all that was sent and received.
const answersOf = (sent, received) => {
  const requests = new Map();
  for (const [to, id, request] of sent.map(partsOf)) requests.set(id, to + request);
  const answers = new Map();
  for (const [from, id, answer] of received.map((data) => partsOf(data.toString())))
    if (requests.has(id)) answers.set(requests.get(id), [Buffer.from(from), Buffer.from(answer)]);
  return answers;
};

// A socket to a server that takes no time: it knows the answers.
class AnsweredSocket extends EventTarget {
  OPEN = WebSocket.OPEN;
  readyState = WebSocket.OPEN;
  bufferedAmount = 0;

  constructor(answers) {
    super();
    this.answers = answers;
  }

  send(text) {
    const [to, id, request] = partsOf(text);
    const found = this.answers.get(to + request);
    if (!found) return;
    const [from, answer] = found;
    const data = Buffer.concat([from, Buffer.from(id), answer]);
    setImmediate(() => this.dispatchEvent(new MessageEvent('message', {data})));
  }

  close() {}
}

// Until a new, empty store has what the other side has; whether it got there.
const converge = async (store, webSocket, hash) => {
  const synchronizer = await createWsSynchronizer(store, webSocket, 10);
  const converged = new Promise((resolve) => {
    const id = store.addDidFinishTransactionListener(() => {
      if (store.getMergeableContentHashes()[0] === hash) {
        store.delListener(id);
        resolve(true);
      }
    });
  });
  synchronizer.startSync();
  return [synchronizer, await Promise.race([converged, sleep(15000).then(() => false)])];
};

const join = async (hash) => {
  const store = createMergeableStore();
  const sent = [];
  const received = [];
  const cpu = process.cpuUsage();
  const start = performance.now();
  const webSocket = await open();
  const send = webSocket.send.bind(webSocket);
  webSocket.send = (text) => {
    sent.push(text);
    send(text);
  };
  webSocket.on('message', (data) => received.push(data));
  const [synchronizer, ok] = await converge(store, webSocket, hash);
  const ms = performance.now() - start;
  const bytes = received.reduce((sum, data) => sum + data.length, 0);
  const {user, system} = process.cpuUsage(cpu);
  await synchronizer.destroy();
  webSocket.terminate();
  await sleep(100);
  const [limitOk, limitMs] = await joinAtOnce(hash, answersOf(sent, received));
  return {ok: ok && limitOk, ms, limitMs, bytes, clientCpuMs: (user + system) / 1000};
};

const joinAtOnce = async (hash, answers) => {
  const store = createMergeableStore();
  const start = performance.now();
  const [synchronizer, ok] = await converge(store, new AnsweredSocket(answers), hash);
  const ms = performance.now() - start;
  await synchronizer.destroy();
  await sleep(100);
  return [ok, ms];
};

const askAll = async () => {
  const webSocket = await open();
  await sleep(100);
  const start = performance.now();
  const answer = await ask(webSocket, 4, {});
  const ms = performance.now() - start;
  webSocket.terminate();
  await sleep(50);
  return {ms, bytes: answer.length};
};

const times = async (count, once) => {
  const results = [];
  for (let i = 0; i < count; i++) results.push(await once());
  return results;
};

const commands = {
  hash: tablesHash,
  join: () => times(+args[1], () => join(+args[0])),
  ask: () => times(+args[0], askAll),
};
console.log(JSON.stringify(await commands[command]()));
process.exit(0);
