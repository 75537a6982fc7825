import type { PairLine } from '../../../shared/domain/index.ts';

/** A named run of tokens, `start` to `end` inclusive, with the line above the tokens it is drawn on. */
export interface SpanMark {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  /** 0 = next to the tokens; overlapping spans are stacked. */
  readonly lane: number;
}

/** Spans of the clean prompt in order, stacked where they overlap. */
export function spanMarks(line: PairLine): SpanMark[] {
  const marks: SpanMark[] = [];
  const all = Object.entries(line.spans?.clean ?? {}).map(([name, [start, end]]) => ({
    name,
    start,
    end: end - 1,
  }));
  all.sort((a, b) => a.start - b.start || b.end - a.end);
  for (const span of all) {
    marks.push({ ...span, lane: freeLane(marks, span) });
  }
  return marks;
}

/** The lowest line above the tokens on which a span overlaps no other. */
export function freeLane(
  marks: readonly SpanMark[],
  span: { readonly start: number; readonly end: number },
): number {
  let lane = 0;
  while (marks.some((m) => m.lane === lane && m.start <= span.end && span.start <= m.end)) lane++;
  return lane;
}

/** The line with a span over the same tokens of both prompts (of the clean one only where lengths differ). */
export function withSpan(
  line: PairLine,
  name: string,
  { start, end }: { readonly start: number; readonly end: number },
  aligned: boolean,
): PairLine {
  const span: [number, number] = [start, end + 1];
  const clean = { ...line.spans?.clean, [name]: span };
  const corrupted = aligned ? { ...line.spans?.corrupted, [name]: span } : { ...line.spans?.corrupted };
  return { ...line, spans: { clean, corrupted } };
}

export function withoutSpan(line: PairLine, name: string): PairLine {
  const drop = (spans: Readonly<Record<string, [number, number]>> | undefined) =>
    Object.fromEntries(Object.entries(spans ?? {}).filter(([key]) => key !== name));
  const read = line.read === name ? ('last' as const) : line.read;
  return { ...line, read, spans: { clean: drop(line.spans?.clean), corrupted: drop(line.spans?.corrupted) } };
}

/** Names of the spans that hold a position. */
export function spansAt(marks: readonly SpanMark[], position: number): string[] {
  return marks.filter((m) => m.start <= position && position <= m.end).map((m) => m.name);
}

/** The shortest span that holds a position. */
export function innermost(marks: readonly SpanMark[], position: number): SpanMark | undefined {
  return marks
    .filter((m) => m.start <= position && position <= m.end)
    .toSorted((a, b) => a.end - a.start - (b.end - b.start))[0];
}
