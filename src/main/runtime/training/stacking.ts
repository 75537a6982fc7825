import { invariant } from '../../../shared/errors/index.ts';
import type { TensorData } from '../../engine/graph/index.ts';
import type { Feeds, Value } from '../sessions.ts';

/** Values of one name and shape, put behind each other along a new first axis; names that nobody asks for are left out. */
export function stacked(each: readonly Feeds[], wanted: readonly string[]): Record<string, Value> {
  const [first] = each;
  const names = Object.keys(first ?? {}).filter((name) => wanted.includes(name));
  return Object.fromEntries(
    names.map((name) => {
      const values = each.map((feeds) => feeds[name]);
      const dims = values[0]?.dims ?? [];
      const data = joined(
        values.map((value) => {
          invariant(value !== undefined, `every batch has ${name}`);
          return value.data;
        }),
      );
      return [name, { data, dims: [each.length, ...dims] }];
    }),
  );
}

/** Arrays of one type behind each other. */
function joined(parts: readonly TensorData[]): TensorData {
  const floats = parts.filter((p) => p instanceof Float32Array);
  if (floats.length > 0) return fill(new Float32Array(total(floats)), floats);
  const whole = parts.filter((p) => p instanceof BigInt64Array);
  if (whole.length > 0) return fill(new BigInt64Array(total(whole)), whole);
  const bytes = parts.filter((p) => p instanceof Uint8Array);
  return fill(new Uint8Array(total(bytes)), bytes);
}

const total = (parts: readonly TensorData[]): number => parts.reduce((sum, p) => sum + p.length, 0);

interface Settable<T> {
  readonly length: number;
  set(part: T, offset: number): void;
}

function fill<T extends Settable<T>>(into: T, parts: readonly T[]): T {
  let at = 0;
  for (const part of parts) {
    into.set(part, at);
    at += part.length;
  }
  return into;
}
