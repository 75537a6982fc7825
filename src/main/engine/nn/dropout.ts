import * as b from '../graph/builder.ts';
import type { Graph, Tensor } from '../graph/index.ts';
import type { Dropout, DropoutSite } from './decoder.ts';

/** A mask that the graph wants fed: name and shape; 1 keeps a value. */
export interface MaskInput {
  readonly name: string;
  readonly shape: readonly number[];
  /** Number of the place within the whole forward pass, from 0: the same however the pass is cut into graphs. */
  readonly site: number;
}

function siteName(site: DropoutSite): string {
  return site.kind === 'embedding' ? 'drop:embedding' : `drop:${site.layer}:${site.kind}`;
}

/** The mask of a place, bool in its shape. */
export type MaskSource = (mask: MaskInput) => Tensor;

/** Dropout by masks that `source` gives (default: inputs of the graph); `masks` lists them. A probability of 0 leaves no trace. */
export function maskedDropout(
  g: Graph,
  probability: number,
  source: MaskSource = ({ name, shape }) => g.input(name, 'bool', shape),
): { dropout: Dropout; masks: MaskInput[] } {
  const masks: MaskInput[] = [];
  const dropout: Dropout = (site, x): Tensor => {
    if (probability === 0) return x;
    const mask = { name: siteName(site), shape: x.shape.map(Number), site: masks.length };
    masks.push(mask);
    return b.where(g, source(mask), b.mul(g, x, 1 / (1 - probability)), 0);
  };
  return { dropout, masks };
}
