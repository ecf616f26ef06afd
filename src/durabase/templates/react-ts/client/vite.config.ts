import react from '@vitejs/plugin-react';
import {defineConfig} from 'vite';

// `durabase dev` puts this dev server, its hot reload and the sync server on one origin.
export default defineConfig({
  plugins: [react()],
  server: {host: '127.0.0.1'},
  build: {license: {fileName: 'licenses.md'}},
});
