import { z } from 'zod';
import * as d from '../domain/index.ts';
import { method } from './define.ts';
import { Download, jobStarted, none, ok } from './common.ts';

export const library = {
  sources: method(none, z.array(d.Source)),
  /** Files and folders by their handles; `columns` is the map (`COLUMN=FIELD`) for tables among them. */
  import: method(
    z.object({ files: z.array(z.string()).min(1), columns: z.array(z.string()).default([]) }),
    jobStarted,
  ),
  /** The columns of a table and what each is taken for, before it is imported; null for other formats. */
  preview: method(
    z.object({ file: z.string() }),
    z.object({ label: z.string(), columns: z.array(d.TableColumn).nullable() }),
  ),
  /** The first 500 of them. */
  rejects: method(z.object({ sourceId: d.SourceId }), z.array(d.Reject)),
  rejectsFile: method(z.object({ sourceId: d.SourceId }), Download),
};

export const RecordFilter = z.object({
  query: z.string().default(''),
  decisions: z.array(d.Decision).default([]),
  yearFrom: z.number().int().nullable().default(null),
  yearTo: z.number().int().nullable().default(null),
  terms: z.array(z.string()).default([]),
  publicationTypes: z.array(z.string()).default([]),
  journals: z.array(z.string()).default([]),
  languages: z.array(z.string()).default([]),
  mesh: z.array(z.string()).default([]),
  keywords: z.array(z.string()).default([]),
  sources: z.array(d.SourceId).default([]),
  flags: z.array(d.RecordFlag).default([]),
  hideCopies: z.boolean().default(true),
});
export type RecordFilter = z.infer<typeof RecordFilter>;

export const curate = {
  /** Pages by offset of the filtered list, sorted by year (newest first) then title. */
  records: method(
    z.object({
      filter: RecordFilter,
      offset: z.number().int().min(0),
      limit: z.number().int().min(1).max(500),
    }),
    z.object({
      total: z.number().int(),
      all: z.number().int(),
      terms: z.array(z.string()),
      rows: z.array(d.RecordRow),
    }),
  ),
  record: method(z.object({ id: d.RecordId }), d.RecordDetail),
  facets: method(
    z.object({ filter: RecordFilter }),
    z.object({
      decisions: z.array(z.object({ value: d.Decision, count: z.number().int() })),
      years: z.array(z.object({ year: z.number().int(), count: z.number().int() })),
      terms: z.array(z.object({ term: z.string(), articles: z.number().int() })),
      publicationTypes: z.array(z.object({ value: z.string(), count: z.number().int() })),
      /** Most frequent first; the rarer ones are left out, but for those in the filter. */
      journals: z.array(z.object({ value: z.string(), count: z.number().int() })),
      languages: z.array(z.object({ value: z.string(), count: z.number().int() })),
      mesh: z.array(z.object({ value: z.string(), count: z.number().int() })),
      keywords: z.array(z.object({ value: z.string(), count: z.number().int() })),
      sources: z.array(z.object({ id: d.SourceId, name: z.string(), count: z.number().int() })),
      flags: z.array(z.object({ value: d.RecordFlag, count: z.number().int() })),
    }),
  ),
  decide: method(
    z.object({ ids: z.array(d.RecordId).min(1), decision: d.Decision, reason: z.string().nullable() }),
    z.object({ changed: z.number().int() }),
  ),
  /** Says that a record is no copy of its group after all; undoable. */
  separate: method(z.object({ id: d.RecordId }), ok),
  /** The records that pass a filter as a file. */
  export: method(z.object({ filter: RecordFilter, format: d.RecordFileFormat }), Download),
  setNote: method(z.object({ id: d.RecordId, note: z.string().max(10_000) }), ok),
  flow: method(none, d.FlowCount),
  terms: method(none, z.array(d.TermCount)),
  /** Over the records to screen: articles in which two terms stand together, and each term by year. */
  termDetail: method(
    none,
    z.object({
      together: z.array(z.object({ a: z.number().int(), b: z.number().int(), articles: z.number().int() })),
      byYear: z.array(
        z.object({
          term: z.string(),
          year: z.number().int(),
          mentions: z.number().int(),
          articles: z.number().int(),
        }),
      ),
    }),
  ),
  setTerms: method(
    z.object({ terms: z.array(z.string().trim().min(1)).min(1).max(12) }),
    z.array(d.TermCount),
  ),
  freezePreview: method(
    d.FreezeOptions,
    z.object({
      nTrain: z.number().int(),
      nValidation: z.number().int(),
      terms: z.array(d.TermCount),
      warnings: z.array(z.string()),
      /** Lengths in tokens of GPT-2 of some of the texts: how many of `of` lie in each bin from `from` on. */
      lengths: z.object({
        of: z.number().int(),
        median: z.number(),
        longest: z.number(),
        bins: z.array(z.object({ from: z.number().int(), count: z.number().int() })),
      }),
    }),
  ),
  /** Texts to train on that nearly repeat a held-out one, were it frozen now. */
  nearCopies: method(
    d.FreezeOptions,
    d.NearCopyReport.extend({
      examples: z.array(
        z.object({
          train: z.object({ id: d.RecordId, title: z.string() }),
          validation: z.object({ id: d.RecordId, title: z.string() }),
          similarity: z.number(),
        }),
      ),
    }),
  ),
  /** Decides on every record that passes a filter. */
  decideAll: method(
    z.object({ filter: RecordFilter, decision: d.Decision, reason: z.string().nullable() }),
    z.object({ changed: z.number().int() }),
  ),
  freeze: method(d.FreezeOptions, d.Dataset),
  datasets: method(none, z.array(d.Dataset)),
};
