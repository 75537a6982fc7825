import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'electron-vite';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

// One build for all hosts: the Electron shell, its core and compute processes, the command line with the
// headless host, the sandboxed preload script, and the renderer that every host serves.
export default defineConfig({
  main: {
    build: {
      outDir: 'out/main',
      externalizeDeps: true,
      sourcemap: true,
      minify: false,
      rolldownOptions: {
        input: {
          electron: here('src/main/hosts/electron.ts'),
          core: here('src/main/hosts/core.ts'),
          cli: here('src/main/hosts/cli.ts'),
          compute: here('src/main/runtime/worker.ts'),
          'compute-electron': here('src/main/hosts/compute-electron.ts'),
        },
        output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
      },
    },
  },
  preload: {
    build: {
      outDir: 'out/preload',
      externalizeDeps: false,
      sourcemap: false,
      rolldownOptions: {
        input: { index: here('src/preload/index.ts') },
        // A sandboxed window loads one CommonJS file only.
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  renderer: {
    root: here('src/renderer'),
    plugins: [svelte()],
    build: {
      outDir: here('out/renderer'),
      sourcemap: false,
      rolldownOptions: { input: here('src/renderer/index.html') },
    },
  },
});
