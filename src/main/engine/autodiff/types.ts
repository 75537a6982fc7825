import type { Graph, Node, Tensor } from '../graph/index.ts';

/** What a rule may use: the node it differentiates and the cotangents of its outputs. */
export interface VjpContext {
  readonly g: Graph;
  readonly node: Node;
  /** Input i of the node. */
  readonly x: (i: number) => Tensor;
  /** Output i of the node. */
  readonly y: (i: number) => Tensor;
  /** ∂loss/∂(output i), in the output's shape; zeros where nothing depends on that output. */
  readonly dy: (i: number) => Tensor;
  /** A number attribute. */
  readonly attr: (name: string, fallback: number) => number;
  /** A value that several inputs' rules share, built once per node. */
  readonly once: (key: string, build: () => Tensor) => Tensor;
}

/**
 * Vector-Jacobian product of one input: the cotangents times ∂outputs/∂input, as ordinary nodes. The
 * result may still have the outputs' broadcast shape; the backward pass sums it back to the input's.
 */
export type Rule = (c: VjpContext) => Tensor;

/** One rule per input (null: that input is an index, a shape or a condition); a function for ops of any arity. */
type VjpEntry = readonly (Rule | null)[] | ((input: number) => Rule);
export type VjpTable = Readonly<Record<string, VjpEntry>>;

/**
 * A cheaper way to add to a gradient that has already arrived at the input: returns the sum of `arrived` (in the
 * input's shape) and the rule's result. Used instead of the rule where there is something to add to.
 */
type AddingRule = (c: VjpContext, arrived: Tensor) => Tensor;
export type AddingTable = Readonly<Record<string, Readonly<Record<number, AddingRule>>>>;
