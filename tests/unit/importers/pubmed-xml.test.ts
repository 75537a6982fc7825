import { describe, expect, it } from 'vitest';
import { article, articleSet, collect, firstRecord } from './support.ts';

describe('text of an element', () => {
  it('is that of all descendants, with white space kept and then collapsed', async () => {
    const record = await firstRecord(
      article({
        title: 'Role of <i>SCN1A</i> in <b>Dravet <i>syndrome</i></b>:\n   a   study',
        abstract:
          '<AbstractText>One<i> two</i> <b>three</b>four\u2009five<![CDATA[ <six> ]]>&amp; &#x3bc;V.</AbstractText>',
      }),
    );
    expect(record.title).toBe('Role of SCN1A in Dravet syndrome: a study');
    expect(record.abstract).toBe('One two threefour five <six> & μV.');
  });

  it('raises sup and sub where Unicode can, whole or not at all', async () => {
    const { abstract } = await firstRecord(
      article({
        abstract:
          '<AbstractText>CO<sub>2</sub>, m<sup>2</sup>, 10<sup>-6</sup>, <i>T</i><sub>1/2</sub>, 19<sup>th</sup>, Ca<sup>2+</sup>, ' +
          'E<sub><i>max</i></sub>, X<sup>®</sup></AbstractText>',
      }),
    );
    expect(abstract).toBe('CO₂, m², 10⁻⁶, T1/2, 19ᵗʰ, Ca²⁺, Eₘₐₓ, X®');
  });

  it('flattens MathML', async () => {
    const { abstract } = await firstRecord(
      article({
        abstract:
          '<AbstractText>where <mml:math xmlns:mml="http://www.w3.org/1998/Math/MathML"><mml:semantics><mml:mrow>' +
          '<mml:msup><mml:mi>x</mml:mi>\n<mml:mn>2</mml:mn></mml:msup><mml:mo>=</mml:mo>' +
          '<mml:mfrac><mml:mi>a</mml:mi><mml:mrow><mml:mi>b</mml:mi><mml:mo>+</mml:mo><mml:mn>1</mml:mn></mml:mrow></mml:mfrac>' +
          '<mml:msup><mml:mi>e</mml:mi><mml:mi>q</mml:mi></mml:msup></mml:mrow>' +
          '<mml:annotation encoding="application/x-tex">x^2</mml:annotation></mml:semantics></mml:math> holds.</AbstractText>',
      }),
    );
    expect(abstract).toBe('where x²=a/(b+1)e^q holds.');
  });
});

describe('abstract', () => {
  it('keeps the sections in order and leaves out labels that say there is none', async () => {
    const record = await firstRecord(
      article({
        abstract:
          '<AbstractText Label="OBJECTIVE:" NlmCategory="OBJECTIVE">To see.</AbstractText>' +
          '<AbstractText Label="UNLABELLED" NlmCategory="UNASSIGNED">Seen.</AbstractText>' +
          '<AbstractText Label="RESULTS" NlmCategory="RESULTS"> </AbstractText>' +
          '<AbstractText Label="unassigned">Done.</AbstractText>' +
          '<CopyrightInformation>© 2020 Somebody.</CopyrightInformation>',
      }),
    );
    expect(record.sections).toEqual([
      { label: 'OBJECTIVE', nlmCategory: 'OBJECTIVE', text: 'To see.' },
      { label: null, nlmCategory: null, text: 'Seen.' },
      { label: null, nlmCategory: null, text: 'Done.' },
    ]);
    expect(record.abstract).toBe('OBJECTIVE: To see.\nSeen.\nDone.');
  });

  it('keeps other abstracts apart and never uses one as the abstract', async () => {
    const other =
      '<OtherAbstract Type="Publisher" Language="fre"><AbstractText>Un résumé.</AbstractText></OtherAbstract>';
    const record = await firstRecord(article({ citation: other }));
    expect(record.abstract).toBe('A synthetic abstract.');
    expect(record.otherAbstracts).toEqual([{ type: 'Publisher', language: 'fre', text: 'Un résumé.' }]);
    const without = await collect(articleSet(article({ abstract: null, citation: other })), 'set.xml');
    expect(without.records).toEqual([]);
    expect(without.rejects).toMatchObject([{ key: 'PMID 100', reason: 'No abstract', line: 4 }]);
  });

  it('rejects articles without one, with the reason and the line', async () => {
    const set = articleSet(
      article({ pmid: '1', abstract: null }),
      article({ pmid: '2', title: '', abstract: '<AbstractText> </AbstractText>' }),
      article({ pmid: '3' }),
    );
    const { records, rejects, lines } = await collect(set, 'set.xml');
    expect(records.map((r) => r.pmid)).toEqual(['3']);
    expect(rejects.map((r) => [r.key, r.reason])).toEqual([
      ['PMID 1', 'No abstract'],
      ['PMID 2', 'Neither title nor abstract'],
    ]);
    const setLines = set.split('\n');
    for (const line of [...rejects.map((r) => r.line), ...lines]) {
      expect(setLines[line - 1]).toMatch(/^<PubmedArticle>/);
    }
  });
});

describe('title', () => {
  it.each(['', '[Not Available].', '[In Process Citation]'])(
    '%j gives way to the vernacular one',
    async (title) => {
      const record = await firstRecord(
        article({ title, article: '<VernacularTitle>Über Anfälle.</VernacularTitle>' }),
      );
      expect(record.title).toBe('Über Anfälle.');
    },
  );

  it('stays when there is one', async () => {
    const record = await firstRecord(
      article({ title: '[On seizures].', article: '<VernacularTitle>Über Anfälle.</VernacularTitle>' }),
    );
    expect(record.title).toBe('[On seizures].');
  });
});

describe('date', () => {
  const electronic = '<ArticleDate DateType="Electronic"><Year>2011</Year><Month>02</Month></ArticleDate>';
  it.each([
    ['<Year>2012</Year><Month>Mar</Month><Day>5</Day>', 2012, '2012 Mar 5'],
    ['<Year>2012</Year><Season>Winter</Season>', 2012, '2012 Winter'],
    ['<MedlineDate>1998 Dec-1999 Jan</MedlineDate>', 1998, '1998 Dec-1999 Jan'],
    ['<MedlineDate>Winter 2003-2004</MedlineDate>', 2003, 'Winter 2003-2004'],
    ['', 2011, '2011 02'],
    ['<MedlineDate>no year</MedlineDate>', 2011, 'no year'],
  ])('%j is %i', async (date, year, printed) => {
    const record = await firstRecord(article({ date, article: electronic }));
    expect([record.year, record.date]).toEqual([year, printed]);
  });

  it('is unknown when nothing gives one', async () => {
    expect((await firstRecord(article({ date: '' }))).year).toBeNull();
  });
});

describe('identifiers', () => {
  const references =
    '<ReferenceList><Reference><ArticleIdList><ArticleId IdType="doi">10.1000/cited</ArticleId></ArticleIdList></Reference></ReferenceList>';
  it('takes the DOI of the article itself, not of one it cites', async () => {
    const own =
      '<ArticleIdList><ArticleId IdType="pubmed">100</ArticleId><ArticleId IdType="doi">10.1000/OWN</ArticleId></ArticleIdList>';
    expect((await firstRecord(article({ data: references + own }))).doi).toBe('10.1000/OWN');
    expect((await firstRecord(article({ data: references }))).doi).toBeNull();
  });

  it('falls back to a valid electronic location', async () => {
    const locations =
      '<ELocationID EIdType="pii" ValidYN="Y">S1</ELocationID><ELocationID EIdType="doi" ValidYN="N">10.1000/wrong</ELocationID>' +
      '<ELocationID EIdType="doi" ValidYN="Y">10.1000/right</ELocationID>';
    expect((await firstRecord(article({ article: locations, data: references }))).doi).toBe('10.1000/right');
  });

  it('takes PMID and version of the citation, not of a linked article', async () => {
    const citation =
      '<CommentsCorrectionsList><CommentsCorrections RefType="CommentIn"><PMID Version="1">999</PMID></CommentsCorrections></CommentsCorrectionsList>';
    const record = await firstRecord(article({ pmid: '31415926', version: '3', citation }));
    expect(record).toMatchObject({
      pmid: '31415926',
      version: 3,
      url: 'https://pubmed.ncbi.nlm.nih.gov/31415926/',
      flags: [],
    });
  });
});

describe('people, keywords and headings', () => {
  it('reads authors, groups and all affiliations', async () => {
    const list =
      '<AuthorList><Author ValidYN="Y"><LastName>Doe</LastName><ForeName>Jane Q</ForeName><Initials>JQ</Initials>' +
      '<AffiliationInfo><Affiliation>Dept. A.</Affiliation></AffiliationInfo><AffiliationInfo><Affiliation>Dept. B.</Affiliation></AffiliationInfo></Author>' +
      '<Author ValidYN="N"><LastName>Do</LastName><Initials>J</Initials></Author>' +
      '<Author><LastName>Roe</LastName><Initials>R</Initials><Suffix>Jr</Suffix><AffiliationInfo><Affiliation>Dept. A.</Affiliation></AffiliationInfo></Author>' +
      '<Author><CollectiveName>The Synthetic Group</CollectiveName></Author></AuthorList>';
    const record = await firstRecord(article({ article: list }));
    expect(record.authors).toEqual(['Doe JQ', 'Roe R Jr', 'The Synthetic Group']);
    expect(record.affiliations).toEqual(['Dept. A.', 'Dept. B.']);
  });

  it('keeps keywords apart from headings with their qualifiers', async () => {
    const citation =
      '<MeshHeadingList><MeshHeading><DescriptorName UI="D004827" MajorTopicYN="N">Epilepsy</DescriptorName>' +
      '<QualifierName MajorTopicYN="Y">drug therapy</QualifierName><QualifierName MajorTopicYN="N">genetics</QualifierName></MeshHeading>' +
      '<MeshHeading><DescriptorName MajorTopicYN="Y">Humans</DescriptorName></MeshHeading></MeshHeadingList>' +
      '<KeywordList Owner="NOTNLM"><Keyword MajorTopicYN="N"><i>EEG</i></Keyword></KeywordList><KeywordList Owner="NLM"><Keyword>sleep</Keyword><Keyword>EEG</Keyword></KeywordList>';
    const record = await firstRecord(article({ citation }));
    expect(record.keywords).toEqual(['EEG', 'sleep']);
    expect(record.mesh).toEqual([
      {
        descriptor: 'Epilepsy',
        major: false,
        qualifiers: [
          { name: 'drug therapy', major: true },
          { name: 'genetics', major: false },
        ],
      },
      { descriptor: 'Humans', major: true, qualifiers: [] },
    ]);
  });
});

describe('flags', () => {
  it.each([
    ['RetractionIn', 'retracted'],
    ['RetractionOf', 'retraction-notice'],
    ['ErratumIn', 'erratum'],
    ['UpdateIn', 'updated'],
  ])('a link %s gives %s', async (refType, flag) => {
    const citation = `<CommentsCorrectionsList><CommentsCorrections RefType="${refType}"/><CommentsCorrections RefType="Cites"/></CommentsCorrectionsList>`;
    expect((await firstRecord(article({ citation }))).flags).toEqual([flag]);
  });

  it.each([
    ['Retracted Publication', 'retracted'],
    ['Retraction of Publication', 'retraction-notice'],
    ['Preprint', 'preprint'],
  ])('the type %s gives %s, once', async (type, flag) => {
    const types = `<PublicationTypeList><PublicationType>Journal Article</PublicationType><PublicationType>${type}</PublicationType><PublicationType>${type}</PublicationType></PublicationTypeList>`;
    const record = await firstRecord(article({ article: types }));
    expect(record.flags).toEqual([flag]);
    expect(record.publicationTypes).toContain('Journal Article');
  });

  it.each(['ErratumFor', 'UpdateOf', 'CommentIn'])('a link %s gives none', async (refType) => {
    const citation = `<CommentsCorrectionsList><CommentsCorrections RefType="${refType}"/></CommentsCorrectionsList>`;
    expect((await firstRecord(article({ citation }))).flags).toEqual([]);
  });
});

describe('other elements of a set', () => {
  it('reads a book chapter, under the title of its book', async () => {
    const book =
      '<PubmedBookArticle><BookDocument><PMID Version="1">200</PMID><ArticleIdList><ArticleId IdType="doi">10.1000/book</ArticleId></ArticleIdList>' +
      '<Book><Publisher><PublisherName>P</PublisherName></Publisher><BookTitle>The <i>Synthetic</i> Book</BookTitle><PubDate><Year>2019</Year><Month>01</Month></PubDate>' +
      '<AuthorList Type="editors"><Author><LastName>Editor</LastName></Author></AuthorList></Book>' +
      '<ArticleTitle>A chapter</ArticleTitle><Language>eng</Language><AuthorList Type="authors"><Author><LastName>Writer</LastName><Initials>W</Initials></Author></AuthorList>' +
      '<PublicationType>Review</PublicationType><Abstract><AbstractText>About it.</AbstractText></Abstract></BookDocument></PubmedBookArticle>';
    expect(await firstRecord(book)).toMatchObject({
      pmid: '200',
      doi: '10.1000/book',
      title: 'A chapter',
      journal: 'The Synthetic Book',
      year: 2019,
      authors: ['Writer W'],
      abstract: 'About it.',
      publicationTypes: ['Review'],
    });
  });

  it('reports deleted PMIDs and passes over unknown elements', async () => {
    const set = articleSet(
      '<Novelty><PubmedThing><AbstractText>no</AbstractText></PubmedThing></Novelty>',
      article({ article: '<Brand><New>tag</New></Brand>' }),
      '<DeleteCitation><PMID Version="1">7</PMID><PMID Version="1">8</PMID></DeleteCitation>',
    );
    const { records, tombstones, rejects, error } = await collect(set, 'update.xml');
    expect([records.length, tombstones, rejects, error]).toEqual([1, ['7', '8'], [], null]);
  });

  it('honours the encoding that the document declares', async () => {
    const latin1 = articleSet(article({ title: 'Crise épileptique' })).replace('UTF-8', 'ISO-8859-1');
    const { records } = await collect(Buffer.from(latin1, 'latin1'), 'set.xml');
    expect(records[0]?.title).toBe('Crise épileptique');
    const utf16 = Buffer.from(`\ufeff${articleSet(article({ title: 'Crise épileptique' }))}`, 'utf16le');
    expect((await collect(utf16, 'set.xml')).records[0]?.title).toBe('Crise épileptique');
  });
});
