import type { TaskDrop } from '../../../shared/domain/index.ts';
import { UserInputError } from '../../../shared/errors/index.ts';
import { Mt19937 } from '../random/index.ts';
import type { TaskContext } from './types.ts';

/** Examples kept of each reason. */
const EXAMPLES = 5;

/** Counts what was left out, by reason. */
export class Drops {
  readonly #reasons = new Map<string, { count: number; examples: string[] }>();

  add(reason: string, example: string): void {
    const known = this.#reasons.get(reason) ?? { count: 0, examples: [] };
    known.count += 1;
    if (known.examples.length < EXAMPLES) known.examples.push(example);
    this.#reasons.set(reason, known);
  }

  list(): TaskDrop[] {
    return [...this.#reasons].map(([reason, { count, examples }]) => ({ reason, count, examples }));
  }
}

/** Seeded draws and token counts, shared by the generators of one run. */
export class TaskTools {
  readonly drops = new Drops();
  readonly context: TaskContext;
  readonly #random: Mt19937;
  readonly #encoded = new Map<string, readonly number[]>();

  constructor(context: TaskContext, seed: number) {
    this.context = context;
    this.#random = new Mt19937(seed);
  }

  /** Ids of a text from its beginning, without a BOS. */
  encode(text: string): readonly number[] {
    const known = this.#encoded.get(text) ?? this.context.tokenizer.encode(text);
    this.#encoded.set(text, known);
    return known;
  }

  /** Ids of a text inside a prompt. */
  inside(text: string): readonly number[] {
    return this.context.tokenizer.encodeInside(text);
  }

  isSingle(text: string): boolean {
    return this.inside(text).length === 1;
  }

  /** An integer in [low, high]. */
  between(low: number, high: number): number {
    return low + this.#random.interval(high - low);
  }

  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    const found = list[this.#random.interval(list.length - 1)];
    if (found === undefined) throw new RangeError('pick: the list is empty');
    return found;
  }

  /** `n` different members of a list, in random order. */
  sample<T>(list: readonly T[], n: number): T[] {
    const rest = [...list];
    return Array.from({ length: n }, () => {
      const at = this.#random.interval(rest.length - 1);
      return rest.splice(at, 1);
    }).flat();
  }

  /**
   * The words that are one token after a space; the others are counted as dropped. Throws UserInputError
   * `TASK_WORDS` where fewer than `need` remain.
   */
  singles(what: string, words: readonly string[], need: number): readonly string[] {
    const all = [...new Set(words)];
    const kept = all.filter((word) => {
      const single = this.isSingle(` ${word}`);
      if (!single) this.drops.add(`${what} of several tokens`, word);
      return single;
    });
    if (kept.length >= need) return kept;
    throw new UserInputError(
      'TASK_WORDS',
      `Only ${kept.length} of ${all.length} ${what} are a single token of this tokenizer; the task needs ${need}.`,
      'Give words of your own that this model knows as one token, or choose another model.',
    );
  }
}
