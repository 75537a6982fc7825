import { ELEMENTWISE } from './rules/elementwise.ts';
import { INDEXING, INDEXING_ADDING } from './rules/indexing.ts';
import { LINEAR } from './rules/linear.ts';
import { REDUCTIONS } from './rules/reductions.ts';
import { SHAPE } from './rules/shape.ts';
import type { AddingTable, VjpTable } from './types.ts';

/** Vector-Jacobian products: one entry per differentiable op. */
export const VJP: VjpTable = { ...ELEMENTWISE, ...REDUCTIONS, ...LINEAR, ...SHAPE, ...INDEXING };

/** Rules that can add to a gradient in place of giving one to be added. */
export const ADDING: AddingTable = INDEXING_ADDING;

/** Ops through which no gradient flows: whole numbers, truth values, shapes. */
export const NO_GRADIENT: ReadonlySet<string> = new Set([
  'Equal',
  'Less',
  'LessOrEqual',
  'Greater',
  'And',
  'Or',
  'Not',
  'BitwiseAnd',
  'BitwiseXor',
  'Sign',
  'Cast',
  'ConstantOfShape',
  'Range',
  'Shape',
  'ArgMax',
]);
