// Sends messages to an echo server, compressed as `ws` does it, and tells what came back.
import WebSocket from 'ws';

const [url, offer] = process.argv.slice(2);
const messages = ['', 'short', 'κόσμε'.repeat(20000), 'abc '.repeat(300000)];
const binary = Buffer.from(Array.from({length: 5000}, (_, index) => index & 15));

const socket = new WebSocket(url, {perMessageDeflate: {threshold: 0, ...JSON.parse(offer)}});
const echoes = [];
let before = 0;
const isOver = new Promise((resolve) => socket.on('close', resolve));
socket.on('open', () => {
  before = socket._socket.bytesRead;
  messages.forEach((message) => socket.send(message));
  socket.send(binary);
  // in three frames of one compressed message
  socket.send('in ', {fin: false});
  socket.send('three ', {fin: false});
  socket.send('fragments', {fin: true});
});
socket.on('message', (data, isBinary) => {
  echoes.push(isBinary ? data : data.toString());
  if (echoes.length === messages.length + 2) {
    const expected = [...messages, binary, 'in three fragments'];
    const isSame = echoes.every((echo, index) => Buffer.from(echo).equals(Buffer.from(expected[index])));
    console.log(
      JSON.stringify({
        isSame,
        extensions: socket.extensions,
        read: socket._socket.bytesRead - before,
        written: socket._socket.bytesWritten,
        size: expected.reduce((sum, message) => sum + Buffer.byteLength(message), 0),
      }),
    );
    socket.close();
  }
});
socket.on('error', (error) => console.log(JSON.stringify({error: String(error)})));
await isOver;
