import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openTokenizer } from '../../src/main/models/index.ts';

const path = (relative: string): string => fileURLToPath(new URL(`../../${relative}`, import.meta.url));
const SHARED = path('../shared');
const DATA = join(SHARED, 'data/general_5000.jsonl');
const SAMPLE = path('resources/sample/tokenizer');
const GPT2 = join(SHARED, 'models/gpt2-tokenizer');

const Reference = z.object({
  data: z.literal('data/general_5000.jsonl'),
  abstracts: z.array(z.tuple([z.string().nullable(), z.number(), z.string()])),
  strings: z.array(z.object({ text: z.string(), ids: z.array(z.number()), decoded: z.string() })),
  tokenizer_sha256: z.string().optional(),
});
const Line = z.object({ abstract: z.string() });

/** From Python's `tokenizers`; see tests/reference/README.md. */
const reference = (name: string): z.infer<typeof Reference> =>
  Reference.parse(JSON.parse(readFileSync(path(`tests/reference/${name}`), 'utf8')));
const sha256 = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex');
const abstracts = (count: number): string[] =>
  readFileSync(DATA, 'utf8')
    .split('\n', count)
    .map((line) => Line.parse(JSON.parse(line)).abstract);

const CASES = [
  { name: 'GPT-2’s tokenizer', folder: GPT2, file: 'gpt2-tokenizer-ids.json' },
  { name: 'the bundled tokenizer', folder: SAMPLE, file: 'sample-tokenizer-ids.json' },
];

describe.each(CASES)('$name gives the ids of Python’s tokenizers', ({ folder, file }) => {
  const expected = reference(file);

  // Real abstracts and GPT-2's files lie beside the repository, not in it.
  it.skipIf(!existsSync(DATA) || !existsSync(folder))('on 1,000 real abstracts', async () => {
    const tokenizer = (await openTokenizer(folder))!;
    const found = abstracts(1000).map((text, i) => {
      const ids = tokenizer.encode(text);
      return [expected.abstracts[i]![0], ids.length, sha256(ids.join(',')).slice(0, 16)];
    });
    expect(found).toHaveLength(1000);
    expect(found).toEqual(expected.abstracts);
  });

  it.skipIf(!existsSync(folder))('on awkward strings, there and back', async () => {
    const tokenizer = (await openTokenizer(folder))!;
    for (const { text, ids, decoded } of expected.strings) {
      expect(tokenizer.encode(text), text).toEqual(ids);
      expect(tokenizer.decode(ids), text).toBe(decoded);
    }
  });
});

it('the reference belongs to the bundled tokenizer as it is', () => {
  const { tokenizer_sha256: hash } = reference('sample-tokenizer-ids.json');
  expect(sha256(readFileSync(join(SAMPLE, 'tokenizer.json')))).toBe(hash);
});

describe('vocab.json and merges.txt alone', () => {
  const folders: string[] = [];
  afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

  it.skipIf(!existsSync(GPT2))('give the ids of tokenizer.json: GPT-2', () => compare(CASES[0]!));
  it('give the ids of tokenizer.json: the bundled one', () => compare(CASES[1]!));

  async function compare({ folder, file }: (typeof CASES)[number]): Promise<void> {
    const bare = mkdtempSync(join(tmpdir(), 'engram-tokenizer-'));
    folders.push(bare);
    for (const name of ['vocab.json', 'merges.txt']) copyFileSync(join(folder, name), join(bare, name));
    const [whole, parts] = [(await openTokenizer(folder))!, (await openTokenizer(bare))!];
    for (const { text, ids } of reference(file).strings) expect(parts.encode(text), text).toEqual(ids);
    expect([parts.description, parts.vocabSize, parts.bosTokenId, parts.eosTokenId]).toEqual([
      whole.description,
      whole.vocabSize,
      whole.bosTokenId,
      whole.eosTokenId,
    ]);
  }
});

const Families = z.object({
  cases: z.record(
    z.string(),
    z.object({ parts: z.record(z.string(), z.unknown()), strings: Reference.shape.strings }),
  ),
  stories: Reference.shape.strings,
});
const families = Families.parse(
  JSON.parse(readFileSync(path('tests/reference/tokenizer-families.json'), 'utf8')),
);

describe('tokenizers of other families give the ids of Python’s tokenizers', () => {
  const folder = mkdtempSync(join(tmpdir(), 'engram-families-'));
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const sample = z
    .record(z.string(), z.unknown())
    .parse(JSON.parse(readFileSync(join(SAMPLE, 'tokenizer.json'), 'utf8')));

  it.each(Object.entries(families.cases))('%s', async (_name, { parts, strings }) => {
    writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify({ ...sample, ...parts }));
    const tokenizer = (await openTokenizer(folder))!;
    expect(tokenizer.description).toBe('byte-level BPE, 891 tokens');
    for (const { text, ids, decoded } of strings) {
      expect(tokenizer.encode(text), text).toEqual(ids);
      expect(tokenizer.decode(ids), text).toBe(decoded);
      expect(tokenizer.encodeInside(text), text).toEqual(ids);
    }
    expect(tokenizer.tokenText(tokenizer.encode(' in')[0]!)).toBe(' in');
  });

  const STORIES = join(SHARED, 'models/stories260K-hf');
  it.skipIf(!existsSync(STORIES))('stories260K’s, with byte fallback', async () => {
    const tokenizer = (await openTokenizer(STORIES))!;
    for (const { text, ids, decoded } of families.stories) {
      expect(tokenizer.encode(text), text).toEqual(ids);
      expect(tokenizer.decode(ids), text).toBe(decoded);
    }
  });

  it.skipIf(!existsSync(STORIES))('stories260K’s, as published with the model', async () => {
    const tokenizer = (await openTokenizer(STORIES))!;
    const Published = z.array(z.object({ text: z.string(), ids: z.array(z.number()) }));
    const published = Published.parse(
      JSON.parse(readFileSync(join(STORIES, 'tokenizer_reference.json'), 'utf8')),
    );
    expect(published.length).toBeGreaterThan(0);
    expect([tokenizer.addsBos, tokenizer.bosTokenId, tokenizer.eosTokenId]).toEqual([true, 1, 2]);
    for (const { text, ids } of published) {
      expect([tokenizer.bosTokenId, ...tokenizer.encode(text)]).toEqual(ids);
      expect(tokenizer.decode(ids.slice(1))).toBe(text);
    }
  });

  it.skipIf(!existsSync(STORIES))('tells the beginning of a text from its inside', async () => {
    const tokenizer = (await openTokenizer(STORIES))!;
    const [start, inside] = [tokenizer.encode('Lily'), tokenizer.encodeInside(' Lily')];
    expect(inside).toEqual(start);
    expect(start.map((id) => tokenizer.tokenText(id))).toEqual([' Lily']);
    expect(tokenizer.encodeInside('Lily')).not.toEqual(start);
    expect(tokenizer.decode(start)).toBe('Lily');
    expect(tokenizer.decodeInside(start)).toBe(' Lily');
    expect(tokenizer.encode('é=\u2265').map((id) => tokenizer.tokenText(id))).toEqual([
      ' ',
      'é',
      '=',
      '⟨E2⟩',
      '⟨89⟩',
      '⟨A5⟩',
    ]);
  });
});
