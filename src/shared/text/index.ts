export * from './fold.ts';
export * from './terms.ts';
export * from './near-copies.ts';
