import { describe, expect, it } from 'vitest';
import { article, articleSet, collect, errorOf, firstRecord } from './support.ts';

/** Forms of the formats that other programs, and PubMed in other years, write. */

describe('XML of PubMed', () => {
  it('may declare elements and comment on entities, as long as it declares none', async () => {
    const subset =
      '<!-- <!ENTITY a "b"> --><!ELEMENT PubmedArticleSet ANY><?x > ENTITY ?><!ATTLIST a b CDATA "<!ENTITY">';
    const set = articleSet(article()).replace(/<!DOCTYPE[^>]*>/, `<!DOCTYPE PubmedArticleSet [${subset}]>`);
    const { records, error } = await collect(set, 'set.xml');
    expect([records.length, error]).toEqual([1, null]);
    const refused = await collect(set.replace('<!ELEMENT', '<!ENTITY x "y"><!ELEMENT'), 'set.xml');
    expect(refused.error?.code).toBe('IMPORT_XML_ENTITIES');
  });

  it('may begin with blank lines', async () => {
    const { records, error } = await collect(`\n \n${articleSet(article())}`, 'set.xml');
    expect([records.length, error]).toEqual([1, null]);
  });

  it('may tell of an error among the articles', async () => {
    const set = articleSet(article(), '<ERROR>Cannot get 7</ERROR>');
    const { records, rejects } = await collect(set, 'set.xml');
    expect(records.length).toBe(1);
    expect(rejects.map((r) => r.reason)).toEqual(['PubMed reports an error: Cannot get 7']);
  });

  it('had given names and affiliations in other places', async () => {
    const authors =
      '<Affiliation>Of the article.</Affiliation><AuthorList><Author><LastName>Ito</LastName><FirstName>Ken</FirstName><MiddleName>B</MiddleName><Affiliation>Of the author.</Affiliation></Author></AuthorList>';
    const record = await firstRecord(article({ article: authors }));
    expect([record.authors, record.affiliations]).toEqual([
      ['Ito Ken'],
      ['Of the author.', 'Of the article.'],
    ]);
  });

  it('prints a date without a year as that of the electronic article', async () => {
    const electronic = '<ArticleDate><Year>2011</Year><Month>03</Month></ArticleDate>';
    const record = await firstRecord(article({ date: '<Month>Jan</Month>', article: electronic }));
    expect([record.year, record.date]).toEqual([2011, '2011 03']);
  });

  it('breaks labels over lines', async () => {
    const record = await firstRecord(
      article({ abstract: '<AbstractText Label="Aim&#10; and scope:">T.</AbstractText>' }),
    );
    expect(record.abstract).toBe('Aim and scope: T.');
  });

  it('comes in other encodings', async () => {
    const set = articleSet(article({ title: 'Über 5 μV' }));
    const as = (encoding: string): string => set.replace('UTF-8', encoding);
    const latin = as('ISO-8859-1').replace('μ', '&#956;');
    const forms: Buffer[] = [
      Buffer.from(`\ufeff${set}`, 'utf8'),
      Buffer.from(`\ufeff${as('UTF-16')}`, 'utf16le'),
      Buffer.from(as('UTF-16'), 'utf16le'),
      Buffer.from(`\ufeff${as('UTF-16')}`, 'utf16le').swap16(),
      Buffer.from(latin, 'latin1'),
      Buffer.from(set.replaceAll('\n', '\r\n')),
    ];
    for (const bytes of forms) {
      const { records, error } = await collect(bytes, 'set.xml');
      expect([records.map((r) => r.title), error]).toEqual([['Über 5 μV'], null]);
    }
  });

  it('is refused after what is sound, where a character is cut or is none', async () => {
    const set = Buffer.from(articleSet(article(), article({ pmid: '2', title: 'Ü' })));
    const at = set.indexOf(Buffer.from('Ü'));
    const cut = await collect(set.subarray(0, at + 1), 'set.xml');
    expect([cut.records.length, cut.error?.code]).toEqual([1, 'IMPORT_ENCODING']);
    const broken = await collect(Buffer.concat([set.subarray(0, at + 1), set.subarray(at + 2)]), 'set.xml');
    expect([broken.records.length, broken.error?.code]).toEqual([1, 'IMPORT_ENCODING']);
  });
});

describe('what other programs write', () => {
  it('MEDLINE text of Ovid, with numbers between the records', async () => {
    const text =
      '<1>\nUI  - 31\nVN  - Ovid Technologies\nTI  - One\nDP  - 2019 Jan\nAB  - A\n\n<2>\nUI  - 32\nTI  - Two\nAB  - B\n';
    const { kind, records } = await collect(text, 'ovid.txt');
    expect([kind, records.map((r) => [r.pmid, r.date, r.abstract])]).toEqual([
      'nbib',
      [
        ['31', '2019 Jan', 'A'],
        ['32', '', 'B'],
      ],
    ]);
  });

  it.each([
    ['EndNote', 'AN  - 31234568\nDP  - NLM\nSN  - 0013-9580'],
    ['Scopus', 'C2  - 31234568\nDB  - Scopus\nSN  - 0013-9580 (ISSN)'],
    ['Ovid', 'AN  - 31234568\nDB  - Ovid MEDLINE(R)\nSN  - 0013-9580'],
  ])('RIS of %s, with the PMID where it puts it', async (_what, fields) => {
    const { records } = await collect(`TY  - JOUR\nTI  - T\nAB  - A\n${fields}\nER  - `, 'x.ris');
    expect(records.map((r) => [r.pmid, r.bibliographic?.issn])).toEqual([['31234568', '0013-9580']]);
  });

  it('tab-delimited text of Web of Science', async () => {
    const { records } = await collect(
      '\ufeffPT\tAU\tTI\tSO\tDE\tAB\tPY\tDI\tPM\tLA\t\nJ\tIto, K; Solo, A\tT\tEPILEPSIA\tEEG; b\tA\t2020\t10.1/x\t12345\tEnglish\t\n',
      'savedrecs.txt',
    );
    const [record] = records;
    expect([record?.pmid, record?.journal, record?.year, record?.doi]).toEqual([
      '12345',
      'EPILEPSIA',
      2020,
      '10.1/x',
    ]);
    expect([record?.authors, record?.keywords]).toEqual([
      ['Ito, K', 'Solo, A'],
      ['EEG', 'b'],
    ]);
  });

  it('authors joined by "and", and PubMed\'s list with its full stop', async () => {
    const { records } = await collect(
      'title,abstract,authors\nA,x,"Ito, Ken and Solo, Anna"\nB,y,"Ito K, Solo AB."\nC,z,"Liu R., Adler D.G."\n',
      'a.csv',
    );
    expect(records.map((r) => r.authors)).toEqual([
      ['Ito, Ken', 'Solo, Anna'],
      ['Ito K', 'Solo AB'],
      ['Liu R.', 'Adler D.G.'],
    ]);
  });
});

describe('text in Windows-1252', () => {
  // Ã begins a character of two bytes in UTF-8: whether it does is seen in the next part.
  it.each([16_384, 16_385, 32_768])('loses no letter where its first stands at byte %i', async (at) => {
    const start = 'title,abstract\n"T","';
    const text = `${start}${'a'.repeat(at - 1 - start.length)}Ã1 ü"\n`;
    const { records, error } = await collect(Buffer.from(text, 'latin1'), 'a.csv');
    expect([records[0]?.abstract.slice(-8), error]).toEqual(['aaaaÃ1 ü', null]);
  });

  it('loses no letter where its first is the last', async () => {
    const { records, error } = await collect(
      Buffer.from('PMID- 1\nTI  - T\nAB  - Texte abrégÉ', 'latin1'),
      'a',
    );
    expect([records[0]?.abstract, error]).toEqual(['Texte abrégÉ', null]);
    const last = await collect(Buffer.from('PMID- 1\nTI  - T\nAB  - Texte É', 'latin1'), 'a');
    expect([last.records[0]?.abstract, last.error]).toEqual(['Texte É', null]);
  });
});

describe('what holds articles in a form that is not read', () => {
  it.each([
    [
      '1. Epilepsia. 2020 Feb;61(2):1-9.\n\nA title.\n\nIto K(1).\n\nPMID: 12345\n',
      'the text that PubMed shows',
    ],
    ['12345\n67890\n', 'a list of PMIDs'],
    ['@article{a, title={T}}', 'BibTeX'],
    ['%0 Journal Article\n%T T', 'EndNote export'],
    ['FN Clarivate Analytics Web of Science\nPT J\n', 'plain text of Web of Science'],
    ['<?xml version="1.0"?><xml><records><record/></records></xml>', 'library of EndNote'],
    ['<!DOCTYPE pmc-articleset><pmc-articleset><article/></pmc-articleset>', 'full text of PubMed Central'],
    ['<?xml version="1.0"?><eFetchResult><ERROR>No</ERROR></eFetchResult>', 'holds no articles'],
  ])('%j', async (text, says) => {
    const error = await errorOf(collect(text, 'thing'));
    expect(error.code).toMatch(/^IMPORT_(?:FORMAT|XML_NOT_PUBMED)$/);
    expect(error.message).toContain(says);
    expect(error.next).not.toBe('');
  });
});
