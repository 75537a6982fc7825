import { expect, test } from 'vitest';
import { fuzzImports } from '../support/fuzz-import.ts';

/** The long run is `node --expose-gc scripts/fuzz-imports.ts`; docs/pubmed-import.md has its result. */
test('500 mutated inputs over all importers end in records or in an error that names the file', async () => {
  const result = await fuzzImports(500, 20261121);
  expect(result.inputs).toBe(500);
  expect(result.records + result.rejects).toBeGreaterThan(100);
  // Whole files and damaged ones are both among them.
  expect(result.codes['none']).toBeGreaterThan(20);
  expect(Object.keys(result.codes).length).toBeGreaterThan(5);
});
