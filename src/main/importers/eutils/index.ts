export { type EutilsAccess, eutilsAccess, EUTILS_PATIENCE, type EutilsPatience } from './access.ts';
export { createRateLimit, type RateLimit } from './bucket.ts';
export { BATCH_PMIDS, efetch, pmidOf } from './fetch.ts';
export type { EutilsLink } from './request.ts';
export { esearch, type SearchAnswer, type Slice } from './search.ts';
export { listSlices, wholeSlice } from './slices.ts';
