import { z } from 'zod';
import { RecordId, SourceId, Timestamp } from './ids.ts';

export const AbstractSection = z.object({
  label: z.string().nullable(),
  nlmCategory: z.string().nullable(),
  text: z.string(),
});
export type AbstractSection = z.infer<typeof AbstractSection>;

export const MeshHeading = z.object({
  descriptor: z.string(),
  major: z.boolean(),
  qualifiers: z.array(z.object({ name: z.string(), major: z.boolean() })),
});

/** An abstract in another language or from another body; kept apart and never trained on. */
export const OtherAbstract = z.object({
  type: z.string().nullable(),
  language: z.string().nullable(),
  text: z.string(),
});
export type OtherAbstract = z.infer<typeof OtherAbstract>;

/**
 * What PubMed says of a record beside its text. Retracted records and retraction notices are left out of
 * training unless the user decides otherwise; the others are a warning.
 */
export const RecordFlag = z.enum([
  'retracted',
  'retraction-notice',
  'concern',
  'erratum',
  'updated',
  'preprint',
]);
export type RecordFlag = z.infer<typeof RecordFlag>;

/** Where an article stands in its journal, and its other identifiers; '' where the source does not say. */
export const Bibliographic = z.object({
  volume: z.string(),
  issue: z.string(),
  pages: z.string(),
  issn: z.string(),
  /** `PMC1234567`. */
  pmcid: z.string(),
});
export type Bibliographic = z.infer<typeof Bibliographic>;

/** One abstract as an importer hands it over: what the file says, normalised, before it has an id. */
export const ImportedRecord = z.object({
  pmid: z
    .string()
    .regex(/^\d{1,8}$/)
    .nullable(),
  version: z.number().int().positive(),
  doi: z.string().nullable(),
  title: z.string(),
  /** The whole abstract as one text; structured sections joined as `LABEL: text`, one a line. */
  abstract: z.string(),
  sections: z.array(AbstractSection),
  otherAbstracts: z.array(OtherAbstract).optional(),
  journal: z.string(),
  year: z.number().int().min(1500).max(2200).nullable(),
  /** As printed by the source (`2020 Mar 5`, `1998 Dec-1999 Jan`), for display only. */
  date: z.string(),
  authors: z.array(z.string()),
  affiliations: z.array(z.string()),
  keywords: z.array(z.string()),
  mesh: z.array(MeshHeading),
  publicationTypes: z.array(z.string()),
  language: z.string(),
  url: z.string(),
  flags: z.array(RecordFlag),
  bibliographic: Bibliographic.optional(),
  /** When the source last changed the record (`2024-03-05`): of two copies of one version the later is the newer. */
  revised: z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}$/)
    .optional(),
});
export type ImportedRecord = z.infer<typeof ImportedRecord>;

/** A row of a file that did not become a record, and why. `line` counts from 1; 0 where unknown. */
export const Reject = z.object({
  line: z.number().int().nonnegative(),
  key: z.string(),
  reason: z.string(),
});
export type Reject = z.infer<typeof Reject>;

/** What a column of a table can hold. */
export const TABLE_FIELDS = [
  'pmid',
  'title',
  'abstract',
  'journal',
  'keywords',
  'url',
  'year',
  'doi',
  'authors',
  'language',
] as const;
export const TableField = z.enum(TABLE_FIELDS);
export type TableField = z.infer<typeof TableField>;

/** A column of a table that is to be imported, with its first values. */
export const TableColumn = z.object({
  name: z.string(),
  /** What it is taken for by its name; null = nothing. */
  field: TableField.nullable(),
  samples: z.array(z.string()),
});
export type TableColumn = z.infer<typeof TableColumn>;

/** What records can be exported to. */
export const RecordFileFormat = z.enum(['csv', 'xlsx', 'ris', 'jsonl']);
export type RecordFileFormat = z.infer<typeof RecordFileFormat>;

export const DECISIONS = ['undecided', 'include', 'maybe', 'exclude'] as const;
export const Decision = z.enum(DECISIONS);
export type Decision = z.infer<typeof Decision>;

export const DEFAULT_EXCLUSION_REASONS = [
  'Off topic',
  'Animal study',
  'Copy of another record',
  'No abstract',
  'Not English',
] as const;

/** A row of the curation table. */
export const RecordRow = z.object({
  id: RecordId,
  pmid: z.string().nullable(),
  title: z.string(),
  journal: z.string(),
  year: z.number().int().nullable(),
  decision: Decision,
  reason: z.string().nullable(),
  flags: z.array(RecordFlag),
  /** Number of records in the same duplicate group, this one included; 1 = unique. */
  copies: z.number().int().positive(),
  /** The record that stands for the group; null when this one does. */
  duplicateOf: RecordId.nullable(),
  /** Mentions of each study term in title and abstract, in the order of the term list. */
  mentions: z.array(z.number().int().nonnegative()),
});
export type RecordRow = z.infer<typeof RecordRow>;

/** One record in full, for the reader pane. */
export const RecordDetail = ImportedRecord.extend({
  id: RecordId,
  sourceId: SourceId,
  sourceName: z.string(),
  importedAt: Timestamp,
  contentHash: z.string(),
  decision: Decision,
  reason: z.string().nullable(),
  note: z.string(),
  duplicateOf: RecordId.nullable(),
  copies: z.array(z.object({ id: RecordId, title: z.string(), sourceName: z.string() })),
});
export type RecordDetail = z.infer<typeof RecordDetail>;

export const SourceKind = z.enum([
  'pubmed-xml',
  'nbib',
  'ris',
  'csv',
  'xlsx',
  'jsonl',
  'pubmed-search',
  'sample',
]);
export type SourceKind = z.infer<typeof SourceKind>;
export const SourceStatus = z.enum(['running', 'complete', 'incomplete']);
/** One import: where records came from, and how many became what. */
export const Source = z.object({
  id: SourceId,
  name: z.string(),
  kind: SourceKind,
  sha256: z.string().nullable(),
  importedAt: Timestamp,
  status: SourceStatus,
  /** Why the import is incomplete. */
  message: z.string().nullable(),
  read: z.number().int().nonnegative(),
  added: z.number().int().nonnegative(),
  duplicates: z.number().int().nonnegative(),
  rejected: z.number().int().nonnegative(),
});
export type Source = z.infer<typeof Source>;
