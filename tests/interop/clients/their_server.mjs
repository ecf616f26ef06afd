// The server of a TinyBase major on the package ws: node their_server.mjs MAJOR. It says its port, and runs until it is killed.
import {WebSocketServer} from 'ws';

const {createWsServer} = await import(`tinybase${process.argv[2]}/synchronizers/synchronizer-ws-server`);
const sockets = new WebSocketServer({host: '127.0.0.1', port: 0});
createWsServer(sockets);
sockets.on('listening', () => console.log(sockets.address().port));
