import { describe, expect, it } from 'vitest';
import { article, articleSet, collect } from './support.ts';

const lines = (...values: unknown[]): string => values.map((value) => JSON.stringify(value)).join('\n');

describe('JSON Lines', () => {
  it('reads the usual fields, in the loose forms people write them', async () => {
    const {
      kind,
      records,
      lines: at,
    } = await collect(
      lines(
        {
          pmid: 12,
          title: 'T',
          abstract: 'One.\n\nTwo.',
          year: '2001 Jan',
          keywords: 'EEG; sleep',
          extra: { any: 1 },
        },
        {
          pmid: '13',
          title: null,
          abstract: 'A',
          doi: 'doi:10.1000/a',
          year: 1999,
          authors: ['Doe J', 'Roe R'],
        },
      ),
      'x.jsonl',
    );
    expect([kind, at]).toEqual(['jsonl', [1, 2]]);
    expect(records).toMatchObject([
      { pmid: '12', abstract: 'One.\nTwo.', year: 2001, keywords: ['EEG', 'sleep'] },
      { pmid: '13', title: '', doi: '10.1000/a', year: 1999, authors: ['Doe J', 'Roe R'] },
    ]);
  });

  it('reads records as Engram writes them, unchanged', async () => {
    const mesh =
      '<MeshHeadingList><MeshHeading><DescriptorName MajorTopicYN="Y">Epilepsy</DescriptorName></MeshHeading></MeshHeadingList>';
    const citation = `${mesh}<CommentsCorrectionsList><CommentsCorrections RefType="ErratumIn"/></CommentsCorrectionsList>`;
    const abstract =
      '<AbstractText Label="AIM">One.</AbstractText><AbstractText Label="END">Two.</AbstractText>';
    const original = await collect(articleSet(article({ citation, abstract, version: '2' })), 'set.xml');
    const again = await collect(lines(...original.records), 'records.jsonl');
    expect(original.records.length).toBe(1);
    expect(again.records).toEqual(original.records);
  });

  it('rejects bad lines with line and reason and reads on', async () => {
    const text = [
      '{"title":"T","abstract":"one"}',
      '{"title":"cut',
      '',
      '[1]',
      '{"abstract":["a"]}',
      '{"title":"no abstract"}',
      '{"abstract":"two"}',
    ].join('\r\n');
    const { records, rejects, lines: at, error } = await collect(text, 'x.jsonl');
    expect(error).toBeNull();
    expect(records.map((r) => r.abstract)).toEqual(['one', 'two']);
    expect(at).toEqual([1, 7]);
    expect(rejects.map((r) => [r.line, r.reason.split(':')[0]])).toEqual([
      [2, 'Not valid JSON'],
      [4, 'Not a JSON object'],
      [5, 'Field "abstract"'],
      [6, 'No abstract'],
    ]);
  });

  it('refuses a file without a single valid line', async () => {
    const { records, rejects, error } = await collect(
      '{\n"title": "T",\n"abstract": "A"\n}\n',
      'pretty.json',
    );
    expect(records).toEqual([]);
    expect(rejects.length).toBe(4);
    expect(error).toMatchObject({ kind: 'format', code: 'IMPORT_JSONL_NO_RECORD' });
    expect(error?.message).toContain('pretty.json');
    expect(error?.message).toContain('line 1');
  });
});
