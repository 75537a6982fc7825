import { expect, test } from 'vitest';
import { killImports } from '../support/kill-import.ts';

/** The long run is `node scripts/kill-imports.ts`; docs/pubmed-import.md has its result. */
test('an import killed at 8 random moments loses nothing and comes to the same content', async () => {
  const result = await killImports(8, 20261121, 600);
  expect(result.committed).toHaveLength(8);
  expect(result.outside).toBeLessThan(8);
});
