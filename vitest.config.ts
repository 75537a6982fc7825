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
