import type { SampleRecord } from './records.ts';

/** Shown in every record and every file of the sample. */
const NOTICE =
  'Synthetic text made for the Engram sample study: no real patients, syndromes, drugs, authors or findings.';

export const JOURNAL = 'Synthetic Journal of Invented Epileptology';
const JOURNAL_SHORT = 'Synth J Invent Epileptol';

/** Real MeSH descriptors with their unique identifiers. */
const MESH = [
  ['D004827', 'Epilepsy', 'Y'],
  ['D004569', 'Electroencephalography', 'N'],
  ['D012640', 'Seizures', 'N'],
  ['D000927', 'Anticonvulsants', 'N'],
  ['D006801', 'Humans', 'N'],
] as const;

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** 10.5555 is the prefix that Crossref keeps for tests. */
function doiOf(record: SampleRecord): string {
  return `10.5555/engram.sample.${record.pmid}`;
}

/** The articles as NCBI's efetch gives them. */
export function pubmedXml(records: readonly SampleRecord[]): string {
  return [
    '<?xml version="1.0" ?>',
    '<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2025//EN" "https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_250101.dtd">',
    `<!-- ${NOTICE} -->`,
    '<PubmedArticleSet>',
    ...records.map(article),
    '</PubmedArticleSet>',
    '',
  ].join('\n');
}

function article(record: SampleRecord): string {
  const { pmid, year, month, town, country } = record;
  const monthNumber = String(MONTHS.indexOf(month) + 1).padStart(2, '0');
  const date = `<Year>${year}</Year><Month>${monthNumber}</Month><Day>15</Day>`;
  return `<PubmedArticle>
<MedlineCitation Status="MEDLINE" Owner="NLM" IndexingMethod="Automated">
<PMID Version="1">${pmid}</PMID>
<DateCompleted>${date}</DateCompleted>
<DateRevised>${date}</DateRevised>
<Article PubModel="Print">
<Journal><JournalIssue CitedMedium="Print"><Volume>${year - 2013}</Volume><PubDate><Year>${year}</Year><Month>${month}</Month></PubDate></JournalIssue><Title>${JOURNAL}</Title><ISOAbbreviation>${JOURNAL_SHORT}</ISOAbbreviation></Journal>
<ArticleTitle>${escapeXml(record.title)}.</ArticleTitle>
<Pagination><MedlinePgn>Synthetic</MedlinePgn></Pagination>
<ELocationID EIdType="doi" ValidYN="Y">${doiOf(record)}</ELocationID>
${abstractElement(record)}<AuthorList CompleteYN="Y">
${record.authors.map(({ last, fore }) => author(last, fore, town, country)).join('\n')}
</AuthorList>
<Language>eng</Language>
<PublicationTypeList>${publicationTypes(record)}</PublicationTypeList>
</Article>
<MedlineJournalInfo><Country>Nowhere</Country><MedlineTA>${JOURNAL_SHORT}</MedlineTA><NlmUniqueID>99999999</NlmUniqueID></MedlineJournalInfo>
<CitationSubset>IM</CitationSubset>
${retraction(record)}<MeshHeadingList>
${MESH.map(([ui, name, major]) => `<MeshHeading><DescriptorName UI="${ui}" MajorTopicYN="${major}">${name}</DescriptorName></MeshHeading>`).join('\n')}
</MeshHeadingList>
<KeywordList Owner="NOTNLM">${record.keywords.map((keyword) => `<Keyword MajorTopicYN="N">${escapeXml(keyword)}</Keyword>`).join('')}</KeywordList>
</MedlineCitation>
<PubmedData><PublicationStatus>ppublish</PublicationStatus><ArticleIdList><ArticleId IdType="pubmed">${pmid}</ArticleId><ArticleId IdType="doi">${doiOf(record)}</ArticleId></ArticleIdList></PubmedData>
</PubmedArticle>`;
}

function abstractElement({ sections }: SampleRecord): string {
  if (sections.length === 0) return '';
  const texts = sections.map(({ label, nlmCategory, text }) => {
    const attributes = label === null ? '' : ` Label="${label}" NlmCategory="${nlmCategory ?? 'UNASSIGNED'}"`;
    return `<AbstractText${attributes}>${escapeXml(text)}</AbstractText>`;
  });
  return `<Abstract>\n${texts.join('\n')}\n<CopyrightInformation>${NOTICE}</CopyrightInformation>\n</Abstract>\n`;
}

function author(last: string, fore: string, town: string, country: string): string {
  const affiliation = `Department of Synthetic Data, Invented Hospital of ${town}, ${country}.`;
  return `<Author ValidYN="Y"><LastName>${last}</LastName><ForeName>${fore}</ForeName><Initials>${fore.charAt(0)}</Initials><AffiliationInfo><Affiliation>${affiliation}</Affiliation></AffiliationInfo></Author>`;
}

function publicationTypes({ review, retracted }: SampleRecord): string {
  const types = [
    ['D016428', 'Journal Article'],
    ...(review ? [['D016454', 'Review']] : []),
    ...(retracted ? [['D016441', 'Retracted Publication']] : []),
  ];
  return types.map(([ui, name]) => `<PublicationType UI="${ui}">${name}</PublicationType>`).join('');
}

function retraction(record: SampleRecord): string {
  if (!record.retracted) return '';
  const source = `${JOURNAL_SHORT}. ${record.year + 1} Jan`;
  return `<CommentsCorrectionsList><CommentsCorrections RefType="RetractionIn"><RefSource>${source}</RefSource></CommentsCorrections></CommentsCorrectionsList>\n`;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
