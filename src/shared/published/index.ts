export * from './clap.ts';
export * from './zhang-nanda.ts';
