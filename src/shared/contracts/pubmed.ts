import { z } from 'zod';
import * as d from '../domain/index.ts';
import { method } from './define.ts';
import { Download, none } from './common.ts';

/** Nothing is sent to PubMed but by `count` and by the job that `fetch` starts. */
export const pubmed = {
  /** Asks PubMed how it understands a query and how many articles match; fetches nothing. */
  count: method(z.object({ query: d.PubmedQuery }), d.PubmedCount),
  /** Starts a job that imports every article that matches. */
  fetch: method(z.object({ query: d.PubmedQuery }), z.object({ jobId: d.JobId })),
  /** The search behind a source; null for a source that is none. */
  search: method(z.object({ sourceId: d.SourceId }), d.PubmedSearch.nullable()),
  /** PMIDs that PubMed lists and does not give, one a line. */
  missingFile: method(z.object({ sourceId: d.SourceId }), Download),
  key: method(none, d.PubmedKey),
  /** Keeps the API key where this host can, or removes it. It is never sent back. */
  setKey: method(z.object({ key: z.string().trim().min(1).nullable() }), d.PubmedKey),
};
