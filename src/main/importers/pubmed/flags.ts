import type { RecordFlag } from '../../../shared/domain/index.ts';
import type { XmlElement } from './elements.ts';

/** <CommentsCorrections RefType>: what a link to another article says about this one. */
const BY_REFERENCE: Readonly<Record<string, RecordFlag>> = {
  RetractionIn: 'retracted',
  PartialRetractionIn: 'retracted',
  RetractionOf: 'retraction-notice',
  PartialRetractionOf: 'retraction-notice',
  ExpressionOfConcernIn: 'concern',
  ErratumIn: 'erratum',
  UpdateIn: 'updated',
  RepublishedIn: 'updated',
  CorrectedandRepublishedIn: 'updated',
};

/** Publication types (MeSH renamed `Retraction of Publication` to `Retraction Notice` in 2025). */
const BY_TYPE: Readonly<Record<string, RecordFlag>> = {
  'Retracted Publication': 'retracted',
  'Retraction of Publication': 'retraction-notice',
  'Retraction Notice': 'retraction-notice',
  Preprint: 'preprint',
};

/** Reasons for which a record is left out of training or warned about, each once. */
export function recordFlags(
  comments: readonly XmlElement[],
  publicationTypes: readonly string[],
): RecordFlag[] {
  const flags = [
    ...comments.map((comment) => BY_REFERENCE[comment.attributes['RefType'] ?? '']),
    ...publicationTypes.map((type) => BY_TYPE[type]),
  ];
  return [...new Set(flags.filter((flag) => flag !== undefined))];
}
