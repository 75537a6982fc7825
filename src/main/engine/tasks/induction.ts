import type { TaskSpecs } from '../../../shared/domain/index.ts';
import type { TaskTools } from './tools.ts';
import type { Draft, Draw, Piece } from './types.ts';

export const LETTERS: readonly string[] = 'a b c d e f g h i j k l m n o p q r s t u v w x y z'.split(' ');

/** The sequence and which of its tokens are asked: `first` and `second` stand before their followers. */
interface Scene {
  readonly symbols: readonly string[];
  readonly first: number;
  readonly second: number;
}

/**
 * In-context copy (Olsson et al. 2022): a sequence of different tokens "… A B … C D …" begins again and stops at A;
 * the answer is B. Corrupted: A and C have changed places where they stood first, so that D follows A; every other
 * token stays, and only what stood *before* B and D has changed. A head that finds B by that must have been told by
 * a head that looks one token back. Or (`follower`) B itself is another token. All pairs are items of their own.
 */
export function induction(spec: TaskSpecs['induction'], tools: TaskTools): Draw {
  const { period, corruption } = spec;
  const symbols = tools.singles('tokens', spec.symbols.length > 0 ? spec.symbols : LETTERS, period + 1);
  let drawn = 0;
  return () => {
    drawn += 1;
    const [spare = '', ...rest] = tools.sample(symbols, period + 1);
    // A is not the first token (which has none before it), and C comes late enough not to follow B.
    const first = tools.between(1, period - 5);
    const scene = { symbols: rest, first, second: tools.between(first + 3, period - 2) };
    const make = corruption === 'predecessors' ? exchanged : replaced(spare);
    const draft = { ...make(scene), item: `induction-${drawn}`, type: spec.type };
    return spec.bothWays
      ? {
          ...draft,
          reverse: {
            ...draft,
            clean: draft.corrupted,
            corrupted: draft.clean,
            answer: draft.wrong,
            wrong: draft.answer,
          },
        }
      : draft;
  };
}

type Made = Omit<Draft, 'reverse' | 'item' | 'type'>;
const COMMON = { mode: 'bag', singleAnswers: true } as const;

function exchanged({ symbols, first, second }: Scene): Made {
  const swap: Readonly<Record<number, number>> = { [first]: second, [second]: first };
  const names = { [first]: 'A1', [first + 1]: 'B', [second]: 'C1', [second + 1]: 'D' };
  return {
    ...COMMON,
    clean: prompt(symbols, symbols, first, names),
    corrupted: prompt(
      symbols.map((symbol, at) => symbols[swap[at] ?? at] ?? symbol),
      symbols,
      first,
      names,
    ),
    answer: [` ${symbols[first + 1] ?? ''}`],
    wrong: [` ${symbols[second + 1] ?? ''}`],
    key: ['A1', 'C1'],
  };
}

const replaced =
  (spare: string) =>
  ({ symbols, first }: Scene): Made => {
    const names = { [first]: 'A1', [first + 1]: 'B' };
    return {
      ...COMMON,
      clean: prompt(symbols, symbols, first, names),
      corrupted: prompt(symbols.with(first + 1, spare), symbols, first, names),
      answer: [` ${symbols[first + 1] ?? ''}`],
      wrong: [` ${spare}`],
      key: ['B'],
    };
  };

/** The sequence once, and again up to the asked token, which is the last (span END). */
function prompt(
  once: readonly string[],
  again: readonly string[],
  last: number,
  names: Readonly<Record<number, string>>,
): Piece[] {
  const first = once.map((symbol, at): Piece => {
    const name = names[at];
    return name === undefined ? ` ${symbol}` : [name, ` ${symbol}`];
  });
  return [
    ...first,
    again
      .slice(0, last + 1)
      .map((symbol) => ` ${symbol}`)
      .join(''),
  ];
}
