import { invariant } from '../../../shared/errors/index.ts';
import { elements, shapeText, type Dim, type Shape } from './types.ts';

/** NumPy broadcasting over named sizes: equal names match, 1 stretches, everything else is a fault. */
export function broadcast(a: Shape, b: Shape, op: string): Dim[] {
  const rank = Math.max(a.length, b.length);
  const out: Dim[] = [];
  for (let i = 0; i < rank; i++) {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x === y || y === 1) out.push(x);
    else if (x === 1) out.push(y);
    else invariant(false, `${op}: shapes ${shapeText(a)} and ${shapeText(b)} do not broadcast`);
  }
  return out;
}

/** Axis from 0, counting negative ones from the end. */
export function normalAxis(axis: number, rank: number, op: string): number {
  const a = axis < 0 ? axis + rank : axis;
  invariant(a >= 0 && a < rank, `${op}: axis ${axis} is outside rank ${rank}`);
  return a;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((d, i) => d === b[i]);
}

/** Sum of sizes along a concatenation axis; symbolic sizes give a new name. */
export function sumDims(dims: readonly Dim[]): Dim {
  let total = 0;
  const names: string[] = [];
  for (const d of dims) {
    if (typeof d === 'number') total += d;
    else names.push(d);
  }
  if (names.length === 0) return total;
  return total === 0 ? names.join('+') : `${names.join('+')}+${total}`;
}

/** Product of sizes; symbolic sizes give a new name. */
export function productDims(dims: readonly Dim[]): Dim {
  let total = 1;
  const names: string[] = [];
  for (const d of dims) {
    if (typeof d === 'number') total *= d;
    else names.push(d);
  }
  if (names.length === 0) return total;
  return total === 1 ? names.join('*') : `${names.join('*')}*${total}`;
}

/**
 * The ONNX shape vector of a reshape: a named size that stands at the same index in the input is copied
 * (0); one other unknown may be inferred (-1).
 */
export function reshapeVector(from: Shape, to: Shape): number[] {
  const known = elements(from);
  const wanted = elements(to);
  if (known !== undefined && wanted !== undefined) {
    invariant(known === wanted, `Reshape: ${shapeText(from)} has not the size of ${shapeText(to)}`);
  }
  let inferred = false;
  return to.map((d, i) => {
    if (typeof d === 'number') {
      invariant(d > 0, `Reshape: size ${d} in ${shapeText(to)}`);
      return d;
    }
    if (from[i] === d) return 0;
    invariant(!inferred, `Reshape: ${shapeText(from)} to ${shapeText(to)} leaves two sizes unknown`);
    inferred = true;
    return -1;
  });
}
