import type { AbstractSection, ImportedRecord, OtherAbstract } from '../../../shared/domain/index.ts';
import { cleanDoi, cleanPmid, EMPTY_RECORD, joinSections, oneLine, pubmedUrl, unique } from '../fields.ts';
import { bookPlace, journalPlace } from './bibliographic.ts';
import { dayOf, printedDate, publicationYear } from './dates.ts';
import type { XmlElement } from './elements.ts';
import { recordFlags } from '../flags.ts';
import { at, childrenOf, descendantsOf, textOf } from './text.ts';

/** <PubmedArticle> as a record. */
export function journalArticle(root: XmlElement): ImportedRecord {
  const citation = at(root, 'MedlineCitation');
  const article = at(citation, 'Article');
  const journal = at(article, 'Journal');
  const pubDate = at(journal, 'JournalIssue', 'PubDate');
  const articleDate = at(article, 'ArticleDate');
  const comments = childrenOf(at(citation, 'CommentsCorrectionsList'), 'CommentsCorrections');
  const publicationTypes = texts(childrenOf(at(article, 'PublicationTypeList'), 'PublicationType'));
  const ownIds = at(root, 'PubmedData', 'ArticleIdList');
  return {
    ...identified(at(citation, 'PMID')),
    doi: articleId(ownIds, 'doi') ?? validDoi(childrenOf(article, 'ELocationID')),
    title: title(at(article, 'ArticleTitle'), at(article, 'VernacularTitle')),
    ...abstractOf(at(article, 'Abstract')),
    ...otherAbstractsOf([...childrenOf(citation, 'OtherAbstract'), ...childrenOf(article, 'OtherAbstract')]),
    journal: firstText(
      at(journal, 'Title'),
      at(journal, 'ISOAbbreviation'),
      at(citation, 'MedlineJournalInfo', 'MedlineTA'),
    ),
    year: publicationYear(pubDate, articleDate),
    date: printedDate(pubDate, articleDate),
    authors: authorsOf(childrenOf(article, 'AuthorList')),
    affiliations: unique(
      texts([
        ...descendantsOf(at(article, 'AuthorList'), 'Affiliation'),
        ...childrenOf(article, 'Affiliation'),
      ]),
    ),
    keywords: keywordsOf(citation),
    mesh: meshOf(citation),
    publicationTypes,
    language: texts(childrenOf(article, 'Language')).join(', '),
    flags: recordFlags(
      comments.map((comment) => comment.attributes['RefType'] ?? ''),
      publicationTypes,
    ),
    bibliographic: journalPlace(article, ownIds),
    ...dayOf(at(citation, 'DateRevised')),
  };
}

/** <PubmedBookArticle> (a book, or a chapter of one) as a record; the book stands in for the journal. */
export function bookArticle(root: XmlElement): ImportedRecord {
  const document = at(root, 'BookDocument');
  const book = at(document, 'Book');
  const publicationTypes = texts(childrenOf(document, 'PublicationType'));
  const authorLists = childrenOf(document, 'AuthorList');
  const lists = authorLists.length > 0 ? authorLists : childrenOf(book, 'AuthorList');
  const pubDate = at(book, 'PubDate');
  return {
    ...identified(at(document, 'PMID')),
    doi:
      articleId(at(document, 'ArticleIdList'), 'doi') ??
      articleId(at(root, 'PubmedBookData', 'ArticleIdList'), 'doi') ??
      validDoi(childrenOf(book, 'ELocationID')),
    title: firstText(at(document, 'ArticleTitle'), at(document, 'VernacularTitle'), at(book, 'BookTitle')),
    ...abstractOf(at(document, 'Abstract')),
    ...otherAbstractsOf(childrenOf(document, 'OtherAbstract')),
    journal: textOf(at(book, 'BookTitle')),
    year: publicationYear(pubDate, at(document, 'ContributionDate')),
    date: printedDate(pubDate, at(document, 'ContributionDate')),
    authors: authorsOf(lists),
    affiliations: unique(texts(lists.flatMap((list) => descendantsOf(list, 'Affiliation')))),
    keywords: keywordsOf(document),
    mesh: [],
    publicationTypes,
    language: texts(childrenOf(document, 'Language')).join(', '),
    flags: recordFlags([], publicationTypes),
    bibliographic: bookPlace(document),
    ...dayOf(at(document, 'DateRevised')),
  };
}

/** The PMIDs in a <DeleteCitation> or <DeleteDocument>. */
export function deletedPmids(root: XmlElement): string[] {
  return texts(childrenOf(root, 'PMID')).flatMap((text) => cleanPmid(text) ?? []);
}

function identified(pmidElement: XmlElement | undefined): ImportedRecord {
  const pmid = cleanPmid(textOf(pmidElement));
  const version = Number(pmidElement?.attributes['Version'] ?? '1');
  return {
    ...EMPTY_RECORD,
    pmid,
    version: Number.isInteger(version) && version > 0 ? version : 1,
    url: pubmedUrl(pmid),
  };
}

/** What PubMed prints where an article has no English title. */
const NO_TITLE = /^\[?(?:not available|in process citation)\]?\.?$/i;

function title(printed: XmlElement | undefined, vernacular: XmlElement | undefined): string {
  const text = textOf(printed);
  return text === '' || NO_TITLE.test(text) ? textOf(vernacular) : text;
}

/** Labels that say there is none. */
const NO_LABEL: ReadonlySet<string> = new Set(['', 'UNLABELLED', 'UNLABELED', 'UNASSIGNED']);

function abstractOf(element: XmlElement | undefined): Pick<ImportedRecord, 'abstract' | 'sections'> {
  const sections: AbstractSection[] = childrenOf(element, 'AbstractText')
    .map((part) => ({
      label: label(part.attributes['Label']),
      nlmCategory: label(part.attributes['NlmCategory']),
      text: textOf(part),
    }))
    .filter(({ text }) => text !== '');
  return { abstract: joinSections(sections), sections };
}

function label(attribute: string | undefined): string | null {
  const text = oneLine(attribute ?? '').replace(/\s*:$/, '');
  return NO_LABEL.has(text.toUpperCase()) ? null : text;
}

function otherAbstractsOf(elements: readonly XmlElement[]): Pick<ImportedRecord, 'otherAbstracts'> {
  const others: OtherAbstract[] = elements
    .map((element) => ({
      type: element.attributes['Type'] ?? null,
      language: element.attributes['Language'] ?? null,
      text: abstractOf(element).abstract,
    }))
    .filter(({ text }) => text !== '');
  return others.length === 0 ? {} : { otherAbstracts: others };
}

/** The identifier of this type in a list of the article's own (lists of references are elsewhere). */
function articleId(list: XmlElement | undefined, type: string): string | null {
  for (const id of childrenOf(list, 'ArticleId')) {
    const doi = id.attributes['IdType'] === type ? cleanDoi(textOf(id)) : null;
    if (doi !== null) return doi;
  }
  return null;
}

function validDoi(locations: readonly XmlElement[]): string | null {
  for (const location of locations) {
    if (location.attributes['EIdType'] !== 'doi' || location.attributes['ValidYN'] === 'N') continue;
    const doi = cleanDoi(textOf(location));
    if (doi !== null) return doi;
  }
  return null;
}

/** Surname and initials, as PubMed prints them; groups under their collective name; entries marked as wrong left out. */
function authorsOf(lists: readonly XmlElement[]): string[] {
  const names: string[] = [];
  for (const list of lists) {
    if (list.attributes['Type'] === 'editors') continue;
    for (const author of childrenOf(list, 'Author')) {
      const name = author.attributes['ValidYN'] === 'N' ? '' : authorName(author);
      if (name !== '') names.push(name);
    }
  }
  return names;
}

function authorName(author: XmlElement): string {
  let name = textOf(at(author, 'LastName'));
  for (const part of [
    firstText(at(author, 'Initials'), at(author, 'ForeName'), at(author, 'FirstName')),
    textOf(at(author, 'Suffix')),
  ]) {
    if (part !== '') name = name === '' ? part : `${name} ${part}`;
  }
  return name || textOf(at(author, 'CollectiveName'));
}

function keywordsOf(holder: XmlElement | undefined): string[] {
  return unique(texts(childrenOf(holder, 'KeywordList').flatMap((list) => childrenOf(list, 'Keyword'))));
}

function meshOf(citation: XmlElement | undefined): ImportedRecord['mesh'] {
  return childrenOf(at(citation, 'MeshHeadingList'), 'MeshHeading').map((heading) => {
    const descriptor = at(heading, 'DescriptorName');
    return {
      descriptor: textOf(descriptor),
      major: isMajor(descriptor),
      qualifiers: childrenOf(heading, 'QualifierName').map((qualifier) => ({
        name: textOf(qualifier),
        major: isMajor(qualifier),
      })),
    };
  });
}

function isMajor(element: XmlElement | undefined): boolean {
  return element?.attributes['MajorTopicYN'] === 'Y';
}

function texts(elements: readonly XmlElement[]): string[] {
  const found: string[] = [];
  for (const element of elements) {
    const text = textOf(element);
    if (text !== '') found.push(text);
  }
  return found;
}

function firstText(...elements: readonly (XmlElement | undefined)[]): string {
  return elements.map(textOf).find((text) => text !== '') ?? '';
}
