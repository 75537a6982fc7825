import type { RecordFlag } from '../../shared/domain/index.ts';

/** What a link to another article (PubMed's RefType) says about this one. */
const BY_LINK: Readonly<Record<string, RecordFlag>> = {
  RetractionIn: 'retracted',
  PartialRetractionIn: 'retracted',
  RetractionOf: 'retraction-notice',
  PartialRetractionOf: 'retraction-notice',
  ExpressionOfConcernIn: 'concern',
  ErratumIn: 'erratum',
  UpdateIn: 'updated',
  RepublishedIn: 'updated',
  CorrectedandRepublishedIn: 'updated',
  RetractedandRepublishedIn: 'retracted',
};

/** Publication types (MeSH renamed `Retraction of Publication` to `Retraction Notice` in 2025). */
const BY_TYPE: Readonly<Record<string, RecordFlag>> = {
  'Retracted Publication': 'retracted',
  'Retraction of Publication': 'retraction-notice',
  'Retraction Notice': 'retraction-notice',
  Preprint: 'preprint',
};

/** Reasons for which a record is left out of training or warned about, each once, strongest first. */
export function recordFlags(links: readonly string[], publicationTypes: readonly string[]): RecordFlag[] {
  const flags = [...links.map((link) => BY_LINK[link]), ...publicationTypes.map((type) => BY_TYPE[type])];
  return [...new Set(flags.filter((flag) => flag !== undefined))];
}

/** Titles by which publishers mark retractions; all that files without publication types have. */
const BY_TITLE: readonly (readonly [RegExp, RecordFlag])[] = [
  [/^\W*retracted(?: article| paper| chapter)?\s*[:\])\]-]/i, 'retracted'],
  [/^\W*retraction(?: note| notice)?(?:\s+(?:to|of|for))?\s*[:\])]/i, 'retraction-notice'],
  [/^\W*retraction (?:note|notice)\b/i, 'retraction-notice'],
  [/^\W*(?:editorial )?expression of concern\s*[:\])]/i, 'concern'],
];

/** What the title of a record says where its source has no publication types. */
export function titleFlags(title: string): RecordFlag[] {
  const found = BY_TITLE.find(([pattern]) => pattern.test(title));
  return found === undefined ? [] : [found[1]];
}
