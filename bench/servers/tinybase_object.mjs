// TinyBase's WsServerDurableObject in workerd, Cloudflare's runtime.
// Environment: PORT, DATA_DIR, PERSIST=none|kv
import {spawn} from 'node:child_process';
import {mkdirSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';

const {PORT, DATA_DIR, PERSIST = 'none'} = process.env;
const workerd = createRequire(import.meta.url)('workerd').default;
const storage = join(DATA_DIR, 'storage');

const config = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "disk", disk = (path = "${storage}", writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${PORT}", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "worker.js")],
  compatibilityDate = "2026-04-01",
  durableObjectNamespaces = [(className = "TinyBaseObject", uniqueKey = "objects", enableSql = true)],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [(name = "OBJECTS", durableObjectNamespace = "TinyBaseObject")],
);
`;

mkdirSync(storage, {recursive: true});
await build({
  entryPoints: [join(dirname(fileURLToPath(import.meta.url)), 'tinybase_object_worker.js')],
  outfile: join(DATA_DIR, 'worker.js'),
  bundle: true,
  format: 'esm',
  target: 'es2022',
  external: ['cloudflare:workers'],
  define: {PERSIST: JSON.stringify(PERSIST)},
  logLevel: 'error',
});
writeFileSync(join(DATA_DIR, 'config.capnp'), config);

const child = spawn(workerd, ['serve', join(DATA_DIR, 'config.capnp')], {stdio: 'inherit'});
child.on('exit', (code) => process.exit(code ?? 0));
process.on('SIGTERM', () => child.kill('SIGTERM'));
const answers = () => fetch(`http://127.0.0.1:${PORT}/`).then(() => true, () => false);
while (!(await answers())) await new Promise((resolve) => setTimeout(resolve, 50));
console.log('LISTENING');
