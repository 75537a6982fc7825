export { Graph, live, type LiveGraph } from './graph.ts';
export { signature } from './signature.ts';
export * from './types.ts';
export { OPS, RUNTIME_OPS, type OpDef } from './ops.ts';
