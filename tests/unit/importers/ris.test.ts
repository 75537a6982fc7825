import { describe, expect, it } from 'vitest';
import { collect } from './support.ts';

const RECORD = `TY  - JOUR
T1  - A synthetic title
A1  - Doe, Jane A.
A1  - Roe, Richard
Y1  - 2019/11/05/
JO  - Synth J
JF  - Synthetic journal
VL  - 12
IS  - 3
SP  - 101
EP  - 109
KW  - absence
KW  - *spike; wave
N2  - BACKGROUND: Spikes were counted.
METHODS: By hand - over a year.

CD4 - positive cells were not.
DO  - https://doi.org/10.1234/Synth.1
UR  - https://www.ncbi.nlm.nih.gov/pubmed/31234567
SN  - 1234-5678
LA  - eng
ER  - 
`;

describe('a RIS record', () => {
  it('is read field by field', async () => {
    const { kind, records, error } = await collect(RECORD, 'export.txt');
    expect([kind, error]).toEqual(['ris', null]);
    const abstract =
      'BACKGROUND: Spikes were counted.\nMETHODS: By hand - over a year.\nCD4 - positive cells were not.';
    expect(records).toEqual([
      {
        pmid: '31234567',
        version: 1,
        doi: '10.1234/Synth.1',
        title: 'A synthetic title',
        abstract,
        sections: [{ label: null, nlmCategory: null, text: abstract }],
        journal: 'Synthetic journal',
        year: 2019,
        date: '2019/11/05',
        authors: ['Doe, Jane A.', 'Roe, Richard'],
        affiliations: [],
        keywords: ['absence', 'spike', 'wave'],
        mesh: [],
        publicationTypes: [],
        language: 'eng',
        url: 'https://www.ncbi.nlm.nih.gov/pubmed/31234567',
        flags: [],
        bibliographic: { volume: '12', issue: '3', pages: '101-109', issn: '1234-5678', pmcid: '' },
      },
    ]);
  });

  it.each([
    ['CRLF', (text: string) => text.replaceAll('\n', '\r\n')],
    ['a byte-order mark', (text: string) => `\ufeff${text}`],
    ['one blank before the hyphen', (text: string) => text.replaceAll('  - ', ' - ')],
    ['tabs', (text: string) => text.replaceAll('  - ', '\t- ')],
    ['no TY', (text: string) => text.replace('TY  - JOUR\n', '')],
    ['no ER', (text: string) => text.replace('ER  - \n', '')],
    ['TI and AU for T1 and A1', (text: string) => text.replace('T1', 'TI').replaceAll('A1', 'AU')],
    ['AB for N2', (text: string) => text.replace('N2', 'AB')],
    ['T2 for JF', (text: string) => text.replace('JF', 'T2')],
    ['a number before it', (text: string) => `1.\n${text}`],
  ])('is read the same with %s', async (_what, change) => {
    const plain = await collect(RECORD, 'a.ris');
    const changed = await collect(change(RECORD), 'b.ris');
    expect([changed.kind, changed.error, changed.records]).toEqual(['ris', null, plain.records]);
  });

  it.each([
    ['RETRACTED: A synthetic title', 'retracted'],
    ['[Retracted] A synthetic title', 'retracted'],
    ['RETRACTED ARTICLE: A title', 'retracted'],
    ['Retraction note to: A title', 'retraction-notice'],
    ['Retraction: A title', 'retraction-notice'],
    ['Expression of Concern: A title', 'concern'],
    ['Retraction of the tongue in seizures', undefined],
    ['Retracted lungs: a case', undefined],
  ])('%s: %s', async (title, flag) => {
    const { records } = await collect(RECORD.replace('A synthetic title', title), 'a.ris');
    expect(records[0]?.flags).toEqual(flag === undefined ? [] : [flag]);
  });
});

describe('a file of RIS records', () => {
  it('begins one at each TY, whether or not the last was ended, and knows their lines', async () => {
    const one = (n: number, end: string) => `TY  - JOUR\nTI  - T${n}\nAB  - A${n}\n${end}`;
    const text = `${one(1, 'ER  - \n')}${one(2, '')}${one(3, 'ER  -\nER  -\n')}\n${one(4, 'ER  -')}`;
    const { records, lines, rejects } = await collect(text, 'set.ris');
    expect(records.map((r) => r.abstract)).toEqual(['A1', 'A2', 'A3', 'A4']);
    expect([lines, rejects]).toEqual([[1, 5, 8, 14], []]);
  });

  it('takes the PMID from where databases put it, and from nowhere else', async () => {
    const of = async (line: string) =>
      (await collect(`TY  - JOUR\n${line}\nAB  - A\nER  -\n`, 'a.ris')).records[0]?.pmid;
    expect(await of('DB  - PubMed\nAN  - 123')).toBe('123');
    expect(await of('N1  - Some text; PMID: 456')).toBe('456');
    expect(await of('DB  - Scopus\nAN  - 789')).toBe(null);
    expect(await of('ID  - 789')).toBe(null);
  });
});
