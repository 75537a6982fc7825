/** What can be read off a sweep beside its heatmap and its numbers. */
export const READINGS = ['layers', 'ratios', 'attention'] as const;
export type ReadingKind = (typeof READINGS)[number];
