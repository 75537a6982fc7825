import type { ImportedRecord } from '../../shared/domain/index.ts';
import { utf8Bytes } from './decode.ts';
import { recordItem } from './fields.ts';
import { bookArticle, deletedPmids, journalArticle } from './pubmed/article.ts';
import { xmlElements, type XmlElement, type XmlUnit } from './pubmed/elements.ts';
import { textOf } from './pubmed/text.ts';
import type { ImportContext, ImportFormat, ImportItem } from './types.ts';

const ROOTS: ReadonlySet<string> = new Set([
  'PubmedArticleSet',
  'PubmedBookArticleSet',
  'PubmedArticle',
  'PubmedBookArticle',
  'MedlineCitationSet',
  'MedlineCitation',
]);

type Handler = (unit: XmlUnit) => ImportItem;

const toRecord =
  (extract: (element: XmlElement) => ImportedRecord): Handler =>
  ({ element, line }) =>
    recordItem(extract(element), line);

const WITHOUT_DATA = { name: 'PubmedArticle', attributes: {} };

/** What E-utilities write where an article could not be had, now and then among articles. */
const failure: Handler = ({ element, line }) => ({
  type: 'reject',
  reject: { line, key: '', reason: `PubMed reports an error: ${textOf(element)}` },
});

const tombstone: Handler = ({ element }) => ({ type: 'tombstone', pmids: deletedPmids(element) });

/** What each element of a set becomes; elements not named here are passed over. */
const HANDLERS: ReadonlyMap<string, Handler> = new Map([
  ['PubmedArticle', toRecord(journalArticle)],
  ['PubmedBookArticle', toRecord(bookArticle)],
  // As PubMed gave them until 2016, and some programs do still: without the article around the citation.
  ['MedlineCitation', toRecord((citation) => journalArticle({ ...WITHOUT_DATA, children: [citation] }))],
  ['ERROR', failure],
  ['DeleteCitation', tombstone],
  ['DeleteDocument', tombstone],
]);

/** Long and of no use to a record; leaving them out also keeps their identifiers from passing for its own. */
const SKIPPED: ReadonlySet<string> = new Set([
  'ReferenceList',
  'History',
  'GrantList',
  'ChemicalList',
  'InvestigatorList',
  'DateCompleted',
  'SupplMeshList',
  'CoiStatement',
  'DataBankList',
]);

const STRUCTURAL: ReadonlySet<string> = new Set([
  ...['PubmedArticle', 'MedlineCitation', 'PubmedData', 'Article', 'Journal', 'JournalIssue', 'PubDate'],
  ...['Pagination', 'Abstract', 'OtherAbstract', 'AuthorList', 'Author', 'AffiliationInfo', 'ArticleDate'],
  ...['PublicationTypeList', 'MedlineJournalInfo', 'MeshHeadingList', 'MeshHeading', 'KeywordList'],
  ...['CommentsCorrectionsList', 'CommentsCorrections', 'ArticleIdList', 'DeleteCitation', 'DateRevised'],
  ...['PubmedBookArticle', 'BookDocument', 'Book', 'PubmedBookData'],
]);

/** PubMed's XML: search exports, E-utilities answers, and the yearly baseline with its daily updates. */
export const pubmedXml: ImportFormat = {
  kind: 'pubmed-xml',
  label: 'PubMed XML',
  detect: ({ text }) => text !== null && ROOTS.has(rootElement(text) ?? ''),
  read,
};

async function* read(bytes: AsyncIterable<Uint8Array>, { name }: ImportContext): AsyncGenerator<ImportItem> {
  const text = utf8Bytes(bytes, { name, declared: declaredEncoding });
  const wanted = new Set(HANDLERS.keys());
  const options = { file: name, wanted, skipped: SKIPPED, structural: STRUCTURAL, roots: ROOTS };
  for await (const unit of xmlElements(text, options)) {
    const handle = HANDLERS.get(unit.element.name);
    if (handle !== undefined) yield handle(unit);
  }
}

/** What an XML text says its root is: the name in its DOCTYPE or its first tag; null where there is none. */
export function rootElement(text: string): string | null {
  if (!text.trimStart().startsWith('<')) return null;
  return /<(?:!DOCTYPE\s+)?([\p{L}_][\p{L}\p{N}_.:-]*)/u.exec(text)?.[1] ?? null;
}

function declaredEncoding(head: Uint8Array): string | null {
  const declaration = new TextDecoder('latin1').decode(head.subarray(0, 200));
  const declared = /^\s*<\?xml[^>]*\bencoding\s*=\s*["']([\w.-]+)["']/.exec(declaration)?.[1] ?? null;
  // What can be read byte by byte is not UTF-16: the file was saved anew and its declaration kept.
  return declared !== null && /^(?:utf-?16|ucs-?2|iso-10646)/i.test(declared) ? 'utf-8' : declared;
}
