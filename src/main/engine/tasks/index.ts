export { openTask } from './registry.ts';
export type { PairSource } from './draw.ts';
export type { TaskContext, TaskTokenizer } from './types.ts';
export { LETTERS } from './induction.ts';
