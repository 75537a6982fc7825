import { idsFrom } from './support.ts';

/**
 * Synthetic PubMed XML of any size, from a seed: made of a few hundred invented words, with the parts that
 * weigh in a real file in about their real shares (abstract, authors with affiliations, MeSH, references).
 */
const SYLLABLES =
  'ba ce di fo gu la me ni or pu ra se ti vo xu ken lor mit pan sul ter vin zar ion ase'.split(' ');

export interface SyntheticSet {
  /** One `<PubmedArticle>` after another, without end. */
  readonly articles: Generator<string, never>;
  readonly open: string;
  readonly close: string;
}

export function syntheticSet(seed = 1): SyntheticSet {
  return {
    articles: articles(seed),
    open: `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2025//EN" "https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_250101.dtd">
<PubmedArticleSet>
`,
    close: '</PubmedArticleSet>\n',
  };
}

/** A whole document of at least `bytes` characters, in pieces of one article. */
export function* syntheticDocument(bytes: number, seed = 1): Generator<string, number> {
  const { articles: source, open, close } = syntheticSet(seed);
  yield open;
  let size = open.length + close.length;
  let count = 0;
  while (size < bytes) {
    const article = source.next().value;
    size += article.length;
    count += 1;
    yield article;
  }
  yield close;
  return count;
}

function* articles(seed: number): Generator<string, never> {
  const draw = idsFrom(seed);
  const below = (n: number): number => draw() % n;
  const words = Array.from({ length: 400 }, () =>
    Array.from({ length: 1 + below(3) }, () => SYLLABLES[below(SYLLABLES.length)] ?? '').join(''),
  );
  const some = (n: number): string =>
    Array.from({ length: n }, () => words[below(words.length)] ?? '').join(' ');
  const sentence = (n: number): string => `${some(n).replace(/^./, (c) => c.toUpperCase())}.`;
  const list = (n: number, make: (i: number) => string): string =>
    Array.from({ length: n }, (_, i) => make(i)).join('\n');
  const date = (tag: string): string =>
    `<${tag}><Year>${1990 + below(35)}</Year><Month>${String(1 + below(12)).padStart(2, '0')}</Month><Day>${String(1 + below(28)).padStart(2, '0')}</Day></${tag}>`;
  for (let n = 1; ; n += 1) {
    const pmid = 10_000_000 + n;
    const labels = ['BACKGROUND', 'METHODS', 'RESULTS', 'CONCLUSIONS'];
    yield `<PubmedArticle>
    <MedlineCitation Status="MEDLINE" Owner="NLM" IndexingMethod="Automated">
      <PMID Version="1">${pmid}</PMID>
      ${date('DateCompleted')}
      ${date('DateRevised')}
      <Article PubModel="Print-Electronic">
        <Journal>
          <ISSN IssnType="Electronic">1234-${1000 + below(8999)}</ISSN>
          <JournalIssue CitedMedium="Internet"><Volume>${1 + below(90)}</Volume><Issue>${1 + below(12)}</Issue><PubDate><Year>${1990 + below(35)}</Year><Month>Mar</Month></PubDate></JournalIssue>
          <Title>Synthetic journal of ${some(2)}</Title>
          <ISOAbbreviation>Synth J ${some(1)}</ISOAbbreviation>
        </Journal>
        <ArticleTitle>${sentence(12)} <i>In ${some(1)}</i> &amp; CO<sub>2</sub>.</ArticleTitle>
        <Pagination><StartPage>${below(900)}</StartPage><MedlinePgn>${below(900)}-9</MedlinePgn></Pagination>
        <ELocationID EIdType="doi" ValidYN="Y">10.1234/synth.${pmid}</ELocationID>
        <Abstract>
${list(4, (i) => `          <AbstractText Label="${labels[i] ?? ''}" NlmCategory="${labels[i] ?? ''}">${list(4, () => sentence(14)).replaceAll('\n', ' ')} p &lt; 0.0${below(9)}, 10<sup>-${1 + below(9)}</sup> ± ${below(99)}.</AbstractText>`)}
        </Abstract>
        <AuthorList CompleteYN="Y">
${list(6, () => `          <Author ValidYN="Y"><LastName>${sentence(1).slice(0, -1)}</LastName><ForeName>${sentence(1).slice(0, -1)} A</ForeName><Initials>XA</Initials><AffiliationInfo><Affiliation>Department of ${some(3)}, University of ${some(2)}, ${below(9999)} ${some(1)}.</Affiliation></AffiliationInfo></Author>`)}
        </AuthorList>
        <Language>eng</Language>
        <PublicationTypeList><PublicationType UI="D016428">Journal Article</PublicationType></PublicationTypeList>
        ${date('ArticleDate')}
      </Article>
      <MedlineJournalInfo><Country>Nowhere</Country><MedlineTA>Synth J</MedlineTA><NlmUniqueID>${below(9999)}</NlmUniqueID></MedlineJournalInfo>
      <MeshHeadingList>
${list(10, () => `        <MeshHeading><DescriptorName UI="D${100000 + below(30000)}" MajorTopicYN="N">${some(2)}</DescriptorName><QualifierName UI="Q000${100 + below(90)}" MajorTopicYN="Y">${some(1)}</QualifierName></MeshHeading>`)}
      </MeshHeadingList>
      <KeywordList Owner="NOTNLM">${Array.from({ length: 4 }, () => `<Keyword MajorTopicYN="N">${some(2)}</Keyword>`).join('')}</KeywordList>
    </MedlineCitation>
    <PubmedData>
      <History>
        <PubMedPubDate PubStatus="received"><Year>2020</Year><Month>1</Month><Day>2</Day></PubMedPubDate>
        <PubMedPubDate PubStatus="pubmed"><Year>2020</Year><Month>3</Month><Day>4</Day><Hour>6</Hour><Minute>0</Minute></PubMedPubDate>
      </History>
      <PublicationStatus>ppublish</PublicationStatus>
      <ArticleIdList><ArticleId IdType="pubmed">${pmid}</ArticleId><ArticleId IdType="doi">10.1234/synth.${pmid}</ArticleId></ArticleIdList>
      <ReferenceList>
${list(12, (i) => `        <Reference><Citation>${sentence(4)} ${sentence(9)} 20${10 + i};${below(90)}:${below(900)}</Citation><ArticleIdList><ArticleId IdType="pubmed">${20_000_000 + below(49_999)}</ArticleId></ArticleIdList></Reference>`)}
      </ReferenceList>
    </PubmedData>
  </PubmedArticle>
`;
  }
}
