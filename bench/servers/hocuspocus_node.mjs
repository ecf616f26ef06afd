// Hocuspocus as it comes, without extensions: documents are in memory.
// Environment: PORT
import {Server} from '@hocuspocus/server';

const server = new Server({address: '127.0.0.1', port: +process.env.PORT, quiet: true, stopOnSignals: false});
await server.listen();
console.log('LISTENING');
process.on('SIGTERM', () => process.exit(0));
