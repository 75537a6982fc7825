import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openTokenizer } from '../../../../src/main/models/index.ts';
import { bundledTokenizer } from '../../../../src/main/services/models/tokenizers.ts';
import { appPaths } from '../../../../src/main/hosts/paths.ts';

const dataFolder = mkdtempSync(join(tmpdir(), 'engram-tokenizers-'));
afterAll(() => {
  rmSync(dataFolder, { recursive: true, force: true });
});
const places = { resources: appPaths().resources, dataFolder };

describe('bundled tokenizers', () => {
  it('give GPT-2’s ids, as the reference has them', async () => {
    const reference = JSON.parse(
      readFileSync(new URL('../../../reference/gpt2-tokenizer-ids.json', import.meta.url), 'utf8'),
    ) as { strings: { text: string; ids: number[] }[] };
    const tokenizer = await openTokenizer(bundledTokenizer('gpt2', places));
    expect(reference.strings.length).toBeGreaterThan(5);
    for (const { text, ids } of reference.strings) expect(tokenizer?.encode(text)).toEqual(ids);
    expect(tokenizer).toMatchObject({ vocabSize: 50_257, eosTokenId: 50_256 });
  });

  it('are put together once', () => {
    expect(bundledTokenizer('gpt2', places)).toBe(bundledTokenizer('gpt2', places));
  });

  it('include the sample’s', async () => {
    const tokenizer = await openTokenizer(bundledTokenizer('sample', places));
    expect(tokenizer?.decode(tokenizer.encode('In patients with epilepsy'))).toBe(
      'In patients with epilepsy',
    );
  });
});
