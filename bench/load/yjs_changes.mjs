// Changes for the load generator, made by real Yjs clients: each puts one entry into a map of 1,000,
// as sync messages of y-protocols, each as [u32 length][bytes].
//   node yjs_changes.mjs COUNT PREFIX FILE...   a file per client; PREFIX (hex) goes before each message
import {createEncoder, toUint8Array, writeUint8Array, writeVarUint} from 'lib0/encoding';
import {createWriteStream} from 'node:fs';
import {writeUpdate} from 'y-protocols/sync';
import {Doc} from 'yjs';

const [, , count, prefix, ...files] = process.argv;
const SYNC = 0;
const ENTRIES = 1000;

const message = (update) => {
  const encoder = createEncoder();
  writeUint8Array(encoder, Buffer.from(prefix, 'hex'));
  writeVarUint(encoder, SYNC);
  writeUpdate(encoder, update);
  return toUint8Array(encoder);
};

const changes = function* (clientId) {
  const doc = new Doc();
  doc.clientID = clientId;
  const map = doc.getMap('t1');
  let last;
  doc.on('update', (update) => (last = update));
  for (let i = 0; i < count; i++) {
    map.set(`r${clientId % 10}${String(i % ENTRIES).padStart(7, '0')}`, '@@##########');
    yield message(last);
  }
};

files.forEach((file, index) => {
  const stream = createWriteStream(file);
  for (const change of changes(3_000_000_001 + index)) {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(change.length);
    stream.write(length);
    stream.write(change);
  }
  stream.end();
});
