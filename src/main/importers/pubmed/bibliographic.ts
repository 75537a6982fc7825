import type { Bibliographic } from '../../../shared/domain/index.ts';
import type { XmlElement } from './elements.ts';
import { at, childrenOf, textOf } from './text.ts';

/** Where an article stands in its journal. `ids`: the article's own list of identifiers. */
export function journalPlace(article: XmlElement | undefined, ids: XmlElement | undefined): Bibliographic {
  const journal = at(article, 'Journal');
  const issue = at(journal, 'JournalIssue');
  return {
    volume: textOf(at(issue, 'Volume')),
    issue: textOf(at(issue, 'Issue')),
    pages: pagesOf(at(article, 'Pagination')),
    issn: textOf(at(journal, 'ISSN')),
    pmcid: pmcidOf(ids),
  };
}

/** The same for a book or chapter, which has an ISBN at most. */
export function bookPlace(document: XmlElement | undefined): Bibliographic {
  const book = at(document, 'Book');
  return {
    volume: textOf(at(book, 'Volume')),
    issue: '',
    pages: pagesOf(at(document, 'Pagination')),
    issn: textOf(at(book, 'Isbn')),
    pmcid: pmcidOf(at(document, 'ArticleIdList')),
  };
}

/** As PubMed prints them (`123-9`), else first and last page. */
function pagesOf(pagination: XmlElement | undefined): string {
  const printed = textOf(at(pagination, 'MedlinePgn'));
  if (printed !== '') return printed;
  return ['StartPage', 'EndPage']
    .map((name) => textOf(at(pagination, name)))
    .filter((page) => page !== '')
    .join('-');
}

function pmcidOf(ids: XmlElement | undefined): string {
  const own = childrenOf(ids, 'ArticleId').find((id) => id.attributes['IdType'] === 'pmc');
  return textOf(own);
}
