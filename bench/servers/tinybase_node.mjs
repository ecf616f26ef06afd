// TinyBase's createWsServer on the "ws" package.
// Environment: PORT, DATA_DIR, PERSIST=none|file
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {createMergeableStore} from 'tinybase';
import {createFilePersister} from 'tinybase/persisters/persister-file';
import {createWsServer} from 'tinybase/synchronizers/synchronizer-ws-server';
import {WebSocketServer} from 'ws';

const {PORT, DATA_DIR, PERSIST = 'none'} = process.env;

const createPersister = (pathId) =>
  createFilePersister(createMergeableStore(), join(DATA_DIR, encodeURIComponent(pathId) + '.json'));

if (PERSIST == 'file') mkdirSync(DATA_DIR, {recursive: true});
const webSocketServer = new WebSocketServer({host: '127.0.0.1', port: +PORT, backlog: 4096});
createWsServer(webSocketServer, PERSIST == 'file' ? createPersister : undefined);
webSocketServer.on('listening', () => console.log('LISTENING'));
process.on('SIGTERM', () => process.exit(0));
