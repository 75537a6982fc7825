import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { spawnCompute } from '../../../src/main/runtime/client.ts';

const entry = fileURLToPath(new URL('../../../src/main/runtime/worker.ts', import.meta.url));
const folderOf = (name: string): string => fileURLToPath(new URL(`../../reference/${name}`, import.meta.url));
const compute = spawnCompute({ entry, threads: 1 });
afterAll(() => {
  compute.dispose();
});

/** What comes out when the whole text is read for every token, as `logits` reads it. */
async function readAnew(
  folder: string,
  ids: readonly number[],
  tokens: number,
  nCtx: number,
): Promise<number[]> {
  const text = [...ids];
  for (let i = 0; i < tokens; i++) {
    const { logits } = await compute.logits({ folder, prompts: [text.slice(-nCtx)] });
    const row = logits[0] ?? new Float32Array();
    text.push(row.indexOf(row.reduce((most, v) => Math.max(most, v), Number.NEGATIVE_INFINITY)));
  }
  return text.slice(ids.length);
}

describe('greedy text with kept keys and values', () => {
  it.each([
    'tiny-gpt2',
    'tiny-llama',
    'tiny-llama-scaled',
    'tiny-qwen2',
    'tiny-neox',
    'tiny-neox-serial',
    'tiny-gptj',
  ])('%s: is the text that reading everything anew gives', async (name) => {
    const folder = folderOf(name);
    const { config } = await compute.load({ folder });
    const ids = [5, 1, 8, 3].map((id) => id % config.vocabSize);
    const { ids: made } = await compute.generate({ folder, ids, tokens: 12 });
    expect(made).toEqual(await readAnew(folder, ids, 12, config.nCtx));
  });

  it('goes on beyond the context with its last part', async () => {
    const folder = folderOf('tiny-gpt2');
    const { config } = await compute.load({ folder });
    const ids = Array.from({ length: config.nCtx - 3 }, (_, i) => (i * 7) % config.vocabSize);
    const { ids: made } = await compute.generate({ folder, ids, tokens: 6 });
    expect(made).toEqual(await readAnew(folder, ids, 6, config.nCtx));
    const longer = Array.from({ length: config.nCtx + 5 }, (_, i) => (i * 3) % config.vocabSize);
    const { ids: after } = await compute.generate({ folder, ids: longer, tokens: 2 });
    expect(after).toEqual(await readAnew(folder, longer, 2, config.nCtx));
  });
});
