import { z } from 'zod';
import { SourceId, Timestamp } from './ids.ts';

/** NCBI's E-utilities. Nothing is sent there before a user starts a search. */
export const DEFAULT_EUTILS = 'https://eutils.ncbi.nlm.nih.gov/entrez/eutils/';

/** As PubMed's own search field takes it; longer ones are refused there too. */
export const PubmedQuery = z.string().trim().min(1).max(20_000);

/** What PubMed says of a query before anything is fetched. */
export const PubmedCount = z.object({
  query: z.string(),
  /** How PubMed understood it. */
  translation: z.string(),
  count: z.number().int().nonnegative(),
  /** Phrases it did not find or ignored, one sentence each. */
  warnings: z.array(z.string()),
});
export type PubmedCount = z.infer<typeof PubmedCount>;

/** Where the records of a PubMed search come from, as stored with its source. */
export const PubmedSearch = z.object({
  sourceId: SourceId,
  query: z.string(),
  translation: z.string(),
  /** Articles that matched when it was started. */
  count: z.number().int().nonnegative(),
  searchedAt: Timestamp,
  /** Searches the query was cut into, because one lists 9,999 articles at most. */
  slices: z.number().int().nonnegative(),
  /** Different PMIDs listed, those that came, and those that PubMed lists but does not give. */
  listed: z.number().int().nonnegative(),
  fetched: z.number().int().nonnegative(),
  missing: z.number().int().nonnegative(),
});
export type PubmedSearch = z.infer<typeof PubmedSearch>;

/** Where the API key is kept. `memory` = until Engram is closed; `environment` = set outside of Engram. */
export const PubmedKey = z.object({
  present: z.boolean(),
  place: z.enum(['keychain', 'memory', 'environment']),
});
export type PubmedKey = z.infer<typeof PubmedKey>;
