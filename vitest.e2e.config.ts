import { defineConfig } from 'vitest/config';

// End to end: the built renderer in a real browser against the headless host.
export default defineConfig({
  test: {
    name: 'e2e',
    environment: 'node',
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
    globalSetup: ['tests/e2e/build.ts'],
    include: ['tests/e2e/**/*.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
