export { Mt19937 } from './mt19937.ts';
export { trainTestSplit } from './split.ts';
