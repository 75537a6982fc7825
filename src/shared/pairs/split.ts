import type { PairLine } from '../domain/index.ts';
import { encodePrompt, type EncodeContext } from './encode.ts';
import { encodePair, differingPositions } from './tokens.ts';

/**
 * Differing positions in groups that change one fact each: neighbours belong together, and so do those inside one
 * named span of the clean prompt.
 */
export function differenceGroups(differing: readonly number[], spans: PairLine['spans']): number[][] {
  const inOneSpan = (a: number, b: number): boolean =>
    Object.values(spans?.clean ?? {}).some(([start, end]) => start <= a && b < end);
  const groups: number[][] = [];
  for (const position of differing) {
    const before = groups.at(-1)?.at(-1);
    if (before !== undefined && (position === before + 1 || inOneSpan(before, position))) {
      groups.at(-1)?.push(position);
    } else groups.push([position]);
  }
  return groups;
}

/**
 * A pair in which several facts change at once, as pairs that change one each: corrupted is clean but for one group of
 * positions. They are of one item, since they share their clean prompt. Text stays text where the tokenizer reads it
 * back as these tokens, otherwise the prompt is given as ids. Fewer than two groups, or prompts of unequal length,
 * give the pair itself.
 */
export function splitPair(
  line: PairLine,
  context: EncodeContext & { readonly decode: (ids: readonly number[]) => string },
): PairLine[] {
  const { clean, corrupted } = encodePair(line, context);
  const groups = differenceGroups(differingPositions(clean, corrupted), line.spans);
  if (groups.length < 2) return [line];
  return groups.map((group, i) => {
    const ids = clean.map((id, at) => (group.includes(at) ? (corrupted[at] ?? id) : id));
    return {
      ...line,
      id: `${line.id}${suffix(i)}`,
      corrupted: typeof line.corrupted === 'string' ? textOr(line.id, ids, context) : { ids },
      item: line.item ?? line.id,
    };
  });
}

/** a … z, then 27, 28 … */
const suffix = (i: number): string => (i < 26 ? String.fromCodePoint(97 + i) : `-${i + 1}`);

function textOr(
  id: string,
  ids: readonly number[],
  context: EncodeContext & { readonly decode: (ids: readonly number[]) => string },
): PairLine['corrupted'] {
  const text = context.decode(context.bos === null ? ids : ids.slice(1));
  if (text === '') return { ids: [...ids] };
  const again = encodePrompt(id, text, context);
  return again.length === ids.length && again.every((token, at) => token === ids[at])
    ? text
    : { ids: [...ids] };
}
