import { describe, expect, it } from 'vitest';
import { collect } from './support.ts';

const RECORD = `
PMID- 31234567
OWN - NLM
STAT- MEDLINE
LR  - 20240305
IS  - 1234-5678 (Electronic)
VI  - 12
IP  - 3
DP  - 2019 Nov-Dec
TI  - A synthetic title that is long enough
      to be wrapped.
PG  - 101-9
LID - S1234(19)30001-2 [pii]
LID - 10.1234/synth.1 [doi]
AB  - BACKGROUND: Spikes were counted. METHODS: By hand, over the course
      of a year.
FAU - Doe, Jane A
AU  - Doe JA
AD  - Department of Invention, University of
      Nowhere.
CN  - Synthetic Study Group
FAU - Roe, Richard
AU  - Roe R
LA  - eng
PT  - Journal Article
PT  - Retracted Publication
TA  - Synth J
JT  - Synthetic journal
MH  - *Epilepsy/drug therapy/*genetics
MH  - Humans
OT  - *absence
OT  - spike-wave
RIN - Synth J. 2021;1:1. PMID: 1
ECI - Synth J. 2020;1:1. PMID: 2
AID - 10.1234/synth.1 [doi]
SO  - Synth J. 2019;12(3):101-9.
`;

describe('a MEDLINE record', () => {
  it('is read field by field', async () => {
    const { kind, records, error } = await collect(RECORD, 'pubmed.txt');
    expect([kind, error]).toEqual(['nbib', null]);
    expect(records).toEqual([
      {
        pmid: '31234567',
        version: 1,
        doi: '10.1234/synth.1',
        title: 'A synthetic title that is long enough to be wrapped.',
        abstract: 'BACKGROUND: Spikes were counted. METHODS: By hand, over the course of a year.',
        sections: [
          {
            label: null,
            nlmCategory: null,
            text: 'BACKGROUND: Spikes were counted. METHODS: By hand, over the course of a year.',
          },
        ],
        journal: 'Synthetic journal',
        year: 2019,
        date: '2019 Nov-Dec',
        authors: ['Doe JA', 'Synthetic Study Group', 'Roe R'],
        affiliations: ['Department of Invention, University of Nowhere.'],
        keywords: ['absence', 'spike-wave'],
        mesh: [
          {
            descriptor: 'Epilepsy',
            major: true,
            qualifiers: [
              { name: 'drug therapy', major: false },
              { name: 'genetics', major: true },
            ],
          },
          { descriptor: 'Humans', major: false, qualifiers: [] },
        ],
        publicationTypes: ['Journal Article', 'Retracted Publication'],
        language: 'eng',
        url: 'https://pubmed.ncbi.nlm.nih.gov/31234567/',
        flags: ['retracted', 'concern'],
        bibliographic: { volume: '12', issue: '3', pages: '101-9', issn: '1234-5678', pmcid: '' },
        revised: '2024-03-05',
      },
    ]);
  });

  it.each([
    ['CRLF', (text: string) => text.replaceAll('\n', '\r\n')],
    ['lone CR', (text: string) => text.replaceAll('\n', '\r')],
    ['a byte-order mark', (text: string) => `\ufeff${text}`],
    ['no space between tag and hyphen', (text: string) => text.replaceAll(/^([A-Z]+) +- /gm, '$1- ')],
    ['empty fields', (text: string) => text.replaceAll('LA  - eng', 'LA  - eng\nGR  -\nCI  - ')],
    ['trailing blanks', (text: string) => text.replaceAll('\n', '  \n')],
    ['tabs for the indent', (text: string) => text.replaceAll('\n      ', '\n\t')],
    ['empty lines inside', (text: string) => text.replaceAll('\nLA  -', '\n\n\nLA  -')],
  ])('is read the same with %s', async (_what, change) => {
    const plain = await collect(RECORD, 'a.nbib');
    const changed = await collect(change(RECORD), 'b.nbib');
    expect([changed.error, changed.records]).toEqual([null, plain.records]);
  });
});

describe('a file of MEDLINE records', () => {
  it('holds one for each PMID, with the line on which it begins, apart or not', async () => {
    const one = (n: number) => `PMID- ${n}\nTI  - T${n}\nAB  - A${n}\n`;
    const { records, lines } = await collect(`${one(1)}\n${one(2)}${one(3)}\n\n\n${one(4)}`, 'set.nbib');
    expect(records.map((r) => [r.pmid, r.title, r.abstract])).toEqual(
      [1, 2, 3, 4].map((n) => [String(n), `T${n}`, `A${n}`]),
    );
    expect(lines).toEqual([1, 5, 8, 14]);
  });

  it('rejects those without an abstract, with the reason', async () => {
    const { records, rejects } = await collect(
      'PMID- 1\nTI  - T\n\nPMID- 2\nTI  - [Not Available].\nTT  - Titel\nAB  - A\n',
      'set.nbib',
    );
    expect(rejects).toEqual([{ line: 1, key: 'PMID 1', reason: 'No abstract' }]);
    expect(records[0]?.title).toBe('Titel');
  });

  it('of books takes the title of the book where there is no other', async () => {
    const { records } = await collect('PMID- 1\nBTI - The book\nPT  - Review\nAB  - A\n', 'book.nbib');
    expect(records[0]).toMatchObject({
      title: 'The book',
      journal: 'The book',
      publicationTypes: ['Review'],
    });
  });
});
