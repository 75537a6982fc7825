import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, strFromU8 } from 'fflate';
import { afterAll, describe, expect, it } from 'vitest';
import { openTokenizer } from '../../src/main/models/index.ts';
import { PairLine } from '../../src/shared/domain/index.ts';

const SAMPLE = fileURLToPath(new URL('../../resources/sample', import.meta.url));
const GENERATOR = fileURLToPath(new URL('../../scripts/sample/make-sample.ts', import.meta.url));
/** Written by hand. */
const OWN = new Set(['README.md', 'demo.json']);

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(folder, name)).isFile(),
  );
const pairs = readFileSync(join(SAMPLE, 'pairs.jsonl'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => PairLine.parse(JSON.parse(line)));
const xml = strFromU8(gunzipSync(readFileSync(join(SAMPLE, 'synthetic-abstracts.xml.gz'))));

describe('the bundled sample', () => {
  const made = mkdtempSync(join(tmpdir(), 'engram-sample-'));
  afterAll(() => rmSync(made, { recursive: true }));

  it('is what its generator makes, to the byte', () => {
    execFileSync(process.execPath, [GENERATOR, made], { stdio: 'pipe' });
    const expected = filesIn(SAMPLE).filter((name) => !OWN.has(name));
    expect(filesIn(made).sort()).toEqual(expected.sort());
    for (const name of expected) {
      expect(readFileSync(join(made, name)).equals(readFileSync(join(SAMPLE, name))), name).toBe(true);
    }
  });

  it('stays small', () => {
    const bytes = filesIn(SAMPLE).reduce((sum, name) => sum + statSync(join(SAMPLE, name)).size, 0);
    expect(bytes).toBeLessThan(400_000);
  });

  it('says in every article that it is synthetic', () => {
    const articles = xml.split('<PubmedArticle>').slice(1);
    expect(articles).toHaveLength(353);
    for (const article of articles) {
      expect(article).toMatch(/<Title>Synthetic Journal/);
      expect(article).toMatch(/<ArticleTitle>.*synthetic.*<\/ArticleTitle>/);
      expect(article).toMatch(/<Keyword MajorTopicYN="N">synthetic<\/Keyword>/);
      expect(article).toMatch(/<PMID Version="1">99\d{6}<\/PMID>/);
    }
  });
});

describe('its pairs', () => {
  it('replace one token and ask for one token', async () => {
    const tokenizer = (await openTokenizer(join(SAMPLE, 'tokenizer')))!;
    const encode = (text: unknown): number[] => tokenizer.encode(text as string);
    expect(pairs.length).toBeGreaterThanOrEqual(24);
    for (const { id, clean, corrupted, answer, wrong, spans } of pairs) {
      const [a, b] = [encode(clean), encode(corrupted)];
      const differing = a.flatMap((token, i) => (token === b[i] ? [] : [i]));
      expect([a.length, differing.length], id).toEqual([b.length, 1]);
      expect(spans?.clean[id.startsWith('country') ? 'town' : 'syndrome'], id).toEqual([
        differing[0]!,
        differing[0]! + 1,
      ]);
      expect(
        [...answer, ...wrong].map((text) => encode(text).length),
        id,
      ).toEqual([1, 1]);
    }
  });

  it('stand in both directions, as one item', () => {
    const byId = new Map(pairs.map((pair) => [`${pair.clean as string}|${pair.corrupted as string}`, pair]));
    expect(new Set(pairs.map(({ type }) => type))).toEqual(
      new Set(['definitional', 'associative', 'control']),
    );
    for (const pair of pairs) {
      const reverse = byId.get(`${pair.corrupted as string}|${pair.clean as string}`);
      expect(reverse).toMatchObject({ item: pair.item, answer: pair.wrong, wrong: pair.answer });
    }
  });

  it('ask for what the abstracts state', () => {
    for (const { id, clean, corrupted, answer, wrong } of pairs) {
      expect(xml.includes(`${clean as string}${answer[0] as string}`), id).toBe(true);
      expect(xml.includes(`${corrupted as string}${wrong[0] as string}`), id).toBe(true);
      expect(xml.includes(`${clean as string}${wrong[0] as string}`), id).toBe(false);
    }
  });
});
