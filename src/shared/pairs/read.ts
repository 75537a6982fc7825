import type { PairLine } from '../domain/index.ts';

export type ReadPosition =
  { readonly ok: true; readonly position: number } | { readonly ok: false; readonly problem: string };

/**
 * Where the metric of a pair is read, counted from 0 over all tokens (a BOS included): the last token, an
 * index (negative counts from the end), or the last token of a named span. A span must end at the same
 * token in both prompts.
 */
export function resolveRead(
  line: Pick<PairLine, 'read' | 'spans'>,
  length: number,
  unequal = false,
): ReadPosition {
  if (line.read === 'last') return { ok: true, position: length - 1 };
  if (typeof line.read === 'number') return inRange(line.read, length);
  return endOfSpan(line, line.read, length, unequal);
}

/** As `resolveRead`, in the corrupted prompt: the same index, or the last token of the span there. */
export function resolveReadCorrupted(line: Pick<PairLine, 'read' | 'spans'>, length: number): ReadPosition {
  const span = typeof line.read === 'string' ? line.spans?.corrupted[line.read] : undefined;
  return span === undefined ? resolveRead(line, length) : inRange(span[1] - 1, length);
}

function inRange(index: number, length: number): ReadPosition {
  const position = index < 0 ? length + index : index;
  if (position >= 0 && position < length) return { ok: true, position };
  return { ok: false, problem: `read ${index} lies outside a prompt of ${length} tokens` };
}

function endOfSpan(
  line: Pick<PairLine, 'read' | 'spans'>,
  name: string,
  length: number,
  unequal: boolean,
): ReadPosition {
  const clean = line.spans?.clean[name];
  if (clean === undefined) return { ok: false, problem: `read names the span “${name}”, which is not drawn` };
  const corrupted = line.spans?.corrupted[name];
  if (!unequal && corrupted !== undefined && corrupted[1] !== clean[1]) {
    return {
      ok: false,
      problem: `the span “${name}” ends at token ${clean[1]} in clean and ${corrupted[1]} in corrupted`,
    };
  }
  return inRange(clean[1] - 1, length);
}

/** Every fault of the spans and of what refers to them by name; one line each. */
export function spanProblems(line: PairLine, cleanLength: number, corruptedLength: number): string[] {
  const outside = (side: 'clean' | 'corrupted', length: number): string[] =>
    Object.entries(line.spans?.[side] ?? {})
      .filter(([, [start, end]]) => start > end || end > length)
      .map(
        ([name, [start, end]]) =>
          `span “${name}” [${start}, ${end}) lies outside the ${length} ${side} tokens`,
      );
  const read = resolveRead(line, cleanLength, cleanLength !== corruptedLength);
  const key =
    typeof line.key === 'string' && line.spans?.clean[line.key] === undefined
      ? [`key names the span “${line.key}”, which is not drawn`]
      : [];
  return [
    ...outside('clean', cleanLength),
    ...outside('corrupted', corruptedLength),
    ...(read.ok ? [] : [read.problem]),
    ...key,
  ];
}
