import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

// One project per environment: pure code without a DOM, integration with real SQLite and ONNX Runtime.
// End-to-end tests have a configuration of their own (vitest.e2e.config.ts).
export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'unit',
          environment: 'node',
          include: ['tests/unit/**/*.test.ts', 'tests/architecture/**/*.test.ts'],
          exclude: ['tests/unit/renderer/**'],
          testTimeout: 30_000,
        },
      },
      {
        // Stores with runes are compiled as for the browser; they need no document.
        plugins: [svelte({ configFile: false })],
        resolve: { conditions: ['browser'] },
        test: {
          name: 'renderer',
          environment: 'node',
          include: ['tests/unit/renderer/**/*.test.ts'],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'integration',
          environment: 'node',
          pool: 'forks',
          include: ['tests/integration/**/*.test.ts'],
          testTimeout: 120_000,
        },
      },
    ],
  },
});
