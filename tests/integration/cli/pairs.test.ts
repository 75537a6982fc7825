import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FORMATS } from '../../../src/main/hosts/cli/formats.ts';
import { parsePairsStrictly } from '../../../src/main/services/pairs/parse.ts';
import { engram, ROOT } from './process.ts';

const STORIES = join(ROOT, '../shared/models/stories260K-hf');
const SPEC = {
  template: 'Once upon a time there was a {subject} and it was',
  subjects: [
    { term: 'girl', answer: 'happy' },
    { term: 'bird', answer: 'sad' },
    { term: 'dog', answer: 'big' },
    { term: 'cat', answer: 'little' },
  ],
  longAnswers: 'first',
};

let folder: string;
let spec: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'engram-pairs-'));
  spec = join(folder, 'spec.json');
  writeFileSync(spec, JSON.stringify(SPEC));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

// The model lies beside the repository, not in it.
describe.skipIf(!existsSync(STORIES))('engram pairs generate', () => {
  const generate = (...args: string[]) =>
    engram('--data', join(folder, 'data'), 'pairs', 'generate', ...args, '--model', STORIES);

  it('writes pairs as JSON lines, and says on stderr how many were drawn', async () => {
    const ran = await generate('template', '--spec', spec, '--count', '3', '--seed', '1');
    expect(ran.code).toBe(0);
    expect(parsePairsStrictly(ran.out, 'stdout')).toHaveLength(3);
    expect(ran.err).toContain('3 of 3 pairs drawn');
  });

  it('keeps what the model prefers, and gives the counts as JSON', async () => {
    const ran = await generate('template', '--spec', spec, '--keep', 'prefers-right', '--json');
    const result = FORMATS['pairs-result'].schema.parse(JSON.parse(ran.out));
    expect(result.judged?.kept).toBe(result.drawn);
    const rejected = (result.judged?.read ?? 0) - result.drawn;
    expect(result.dropped.reduce((sum, drop) => sum + drop.count, 0)).toBe(rejected);
    expect(result.shortage).not.toBeNull();
  });

  it('refuses a task that the tokenizer cannot hold, and a template without subjects, with exit 2', async () => {
    const names = await generate('ioi');
    expect(names.code).toBe(2);
    expect(names.err).toMatch(/TASK_WORDS: Only \d+ of \d+ names/);
    const bare = await generate('template');
    expect(bare.code).toBe(2);
    expect(bare.err).toMatch(/TASK_INVALID: .*template/);
  });
});
