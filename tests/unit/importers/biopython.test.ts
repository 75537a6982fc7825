import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { journalArticle } from '../../../src/main/importers/pubmed/article.ts';
import { xmlElements } from '../../../src/main/importers/pubmed/elements.ts';
import { at, childrenOf } from '../../../src/main/importers/pubmed/text.ts';
import type { ImportedRecord } from '../../../src/shared/domain/index.ts';

/**
 * Every article of the shared fixtures, field by field, against what Biopython reads in it
 * (tests/reference/pubmed_reference.py). docs/pubmed-import.md says which element stands for which field.
 */
const FOLDER = join(import.meta.dirname, '../../../../shared/data/fixtures');
const present = existsSync(FOLDER);
const Reference = z.object({
  unread: z.record(z.string(), z.string()),
  articles: z.record(z.string(), z.array(z.record(z.string(), z.string()))),
});
const reference = Reference.parse(
  JSON.parse(readFileSync(join(import.meta.dirname, '../../reference/pubmed-fields.json'), 'utf8')),
);

/** Fields that differ on purpose, by file; docs/pubmed-import.md gives the reason of each. */
const DIFFERENCES: Readonly<Record<string, readonly string[]>> = {};

const plain = (text: string): string =>
  text.normalize('NFKD').replaceAll('−', '-').replace(/\s+/g, ' ').trim();
const digest = (values: readonly string[]): string =>
  createHash('sha256').update(values.map(plain).join('\x1f')).digest('hex').slice(0, 16);
const flag = (major: boolean): string => (major ? 'Y' : 'N');

/** The record in the form of the reference: every field a list of texts. */
function fieldsOf(record: ImportedRecord): Record<string, readonly string[]> {
  const { volume = '', issue = '', pages = '', issn = '', pmcid = '' } = record.bibliographic ?? {};
  return {
    pmid: [record.pmid ?? ''],
    version: [String(record.version)],
    title: [record.title],
    sections: record.sections.flatMap((s) => [s.label ?? '', s.nlmCategory ?? '', s.text]),
    otherAbstracts: (record.otherAbstracts ?? []).flatMap((o) => [o.type ?? '', o.language ?? '', o.text]),
    journal: [record.journal],
    year: [String(record.year ?? '')],
    doi: record.doi === null ? [] : [record.doi],
    authors: record.authors,
    affiliations: record.affiliations,
    keywords: record.keywords,
    mesh: record.mesh.flatMap((h) => [
      h.descriptor,
      flag(h.major),
      ...h.qualifiers.flatMap((q) => [q.name, flag(q.major)]),
    ]),
    publicationTypes: record.publicationTypes,
    language: record.language === '' ? [] : record.language.split(', '),
    volume: [volume],
    issue: [issue],
    pages: [pages],
    issn: [issn],
    pmcid: pmcid === '' ? [] : [pmcid],
    revised: record.revised === undefined ? [] : [record.revised],
  };
}

async function articlesOf(path: string): Promise<{ record: ImportedRecord; links: string[] }[]> {
  const options = {
    file: path,
    wanted: new Set(['PubmedArticle']),
    skipped: new Set(['ReferenceList']),
    structural: new Set<string>(),
    roots: new Set(['PubmedArticleSet']),
  };
  async function* bytes(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(readFileSync(path));
  }
  const found = [];
  for await (const { element } of xmlElements(bytes(), options)) {
    const list = at(element, 'MedlineCitation', 'CommentsCorrectionsList');
    const links = childrenOf(list, 'CommentsCorrections').map((c) => c.attributes['RefType'] ?? '');
    found.push({ record: journalArticle(element), links: [...new Set(links)].sort() });
  }
  return found;
}

const files = Object.keys(reference.articles);

describe.skipIf(!present)('articles as Biopython reads them (skipped where the fixtures are absent)', () => {
  it('are 165 in 166 files; the other answer is no set of articles to it either', () => {
    const articles = Object.values(reference.articles).flat().length;
    expect([files.length, articles, Object.keys(reference.unread)]).toEqual([
      166,
      165,
      ['metapub__metapub/sample_related_pmids_result.xml'],
    ]);
  });

  it.each(files)('%s', async (name) => {
    const expected = reference.articles[name] ?? [];
    const found = await articlesOf(join(FOLDER, name));
    expect(found.length).toBe(expected.length);
    for (const [i, fields] of expected.entries()) {
      const { record, links } = found[i] ?? { record: null, links: [] };
      if (record === null) throw new Error('an article is missing');
      const ours = { ...fieldsOf(record), links };
      const different = Object.entries(ours).filter(([field, values]) => digest(values) !== fields[field]);
      expect(different.map(([field]) => field)).toEqual(DIFFERENCES[name] ?? []);
      expect(Object.keys(fields).sort()).toEqual(Object.keys(ours).sort());
    }
  });
});
