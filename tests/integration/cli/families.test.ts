import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Model } from '../../../src/shared/domain/index.ts';
import { engram, ROOT } from './process.ts';

const STORIES = join(ROOT, '../shared/models/stories260K-hf');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'engram-cli-families-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const Logits = z.object({
  ids: z.array(z.number()),
  tokens: z.array(z.string()),
  top: z.array(z.object({ id: z.number(), token: z.string(), logit: z.number() })),
  logits: z.array(z.array(z.number())).optional(),
});
async function logits(...args: string[]): Promise<z.infer<typeof Logits>> {
  const ran = await engram('logits', ...args, '--data', folder, '--json');
  expect(ran.code, ran.err).toBe(0);
  return Logits.parse(JSON.parse(ran.out));
}

describe('engram logits', () => {
  it.skipIf(!existsSync(STORIES))(
    'reads text with the model’s own tokenizer and beginning token',
    async () => {
      const Reference = z.object({ last_logits_of_first_16: z.array(z.number()) });
      const { last_logits_of_first_16: expected } = Reference.parse(
        JSON.parse(readFileSync(join(STORIES, 'reference.json'), 'utf8')),
      );
      const text = 'Once upon a time, there was a little girl named Lily.';
      const found = await logits('--model', STORIES, '--text', text, '--all', '--top', '1');
      expect(found.ids).toHaveLength(16);
      expect(found.tokens.slice(0, 3)).toEqual(['<s>', ' Once', ' upon']);
      expect(found.tokens.join('')).toBe(`<s> ${text}`);
      const last = found.logits?.at(-1) ?? [];
      expect(Math.max(...expected.map((v, i) => Math.abs(v - (last[i] ?? NaN))))).toBeLessThan(1e-4);
      expect(found.top).toMatchObject([{ token: ' She' }]);
      const without = await logits('--model', STORIES, '--text', text, '--bos', 'no');
      expect(without.ids).toEqual(found.ids.slice(1));
    },
  );

  it('takes ids for a folder without a tokenizer', async () => {
    const Families = z.object({
      folders: z.record(
        z.string(),
        z.object({ ids: z.array(z.number()), logits: z.array(z.array(z.number())) }),
      ),
    });
    const { folders } = Families.parse(
      JSON.parse(readFileSync(join(ROOT, 'tests/reference/families.json'), 'utf8')),
    );
    for (const name of ['tiny-neox', 'tiny-gptj']) {
      const { ids, logits: expected } = folders[name]!;
      const found = await logits('--model', join(ROOT, 'tests/reference', name), '--ids', ids.join(','));
      const last = expected.at(-1)!;
      expect(found.top[0]?.logit).toBeCloseTo(Math.max(...last), 4);
      expect(found.top[0]?.id).toBe(last.indexOf(Math.max(...last)));
    }
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('engram model import', () => {
  it('takes a Llama-style folder', async () => {
    const study = join(folder, 'study');
    const source = join(ROOT, 'tests/reference/tiny-qwen2');
    const ran = await engram('model', 'import', study, source, '--name', 'small', '--data', folder, '--json');
    expect(ran.code, ran.err).toBe(0);
    const model = Model.parse(JSON.parse(ran.out));
    expect(model).toMatchObject({
      name: 'small',
      config: { family: 'llama', nKvHead: 2, biases: { qkv: true, attentionOutput: false } },
    });
  });
});
