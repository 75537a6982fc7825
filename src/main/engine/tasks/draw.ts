import type { PairLine, TaskDrop } from '../../../shared/domain/index.ts';
import { layOut, textOf, type LaidOut } from './prompt.ts';
import type { TaskTools } from './tools.ts';
import type { Draft, Draw } from './types.ts';

/** Draws that pair after pair repeat one another before the task counts as used up. */
const REPEATS = 400;

/** Pairs of a task, one candidate at a time. */
export interface PairSource {
  /** The next pair, with its reverse where both directions are asked for; null when there are no more. */
  next(): readonly PairLine[] | null;
  /** What was left out so far. */
  dropped(): TaskDrop[];
}

/** Checks what a generator draws against the tokenizer and numbers what passes: `ioi-1`, `ioi-2` … */
export function pairSource(task: string, draw: Draw, tools: TaskTools): PairSource {
  const seen = new Set<string>();
  let made = 0;
  const next = (): readonly PairLine[] | null => {
    let failed = 0;
    while (failed < REPEATS) {
      const draft = draw();
      if (draft === null) return null;
      const text = [draft.clean, draft.corrupted].map(textOf).join('\n');
      if (seen.has(text) && draft.repeats !== true) {
        failed += 1;
        continue;
      }
      seen.add(text);
      const id = `${task}-${made + 1}`;
      const line = checked(id, draft, tools);
      const reverse = draft.reverse === undefined ? null : checked(`${id}-r`, draft.reverse, tools);
      if (line === null) {
        failed += 1;
        continue;
      }
      made += 1;
      return reverse === null ? [line] : [line, reverse];
    }
    return null;
  };
  return { next, dropped: () => tools.drops.list() };
}

/** Each condition a pair must meet: the reason it is dropped for. */
const CONDITIONS: readonly {
  readonly reason: string;
  readonly fails: (pair: {
    readonly draft: Omit<Draft, 'reverse'>;
    readonly clean: LaidOut;
    readonly corrupted: LaidOut;
    readonly tools: TaskTools;
  }) => boolean;
}[] = [
  {
    reason: 'prompts of unequal length',
    fails: ({ draft, clean, corrupted }) =>
      draft.keepUnequal !== true && clean.ids.length !== corrupted.ids.length,
  },
  {
    reason: 'spans at different tokens',
    fails: ({ draft, clean, corrupted }) =>
      draft.keepUnequal !== true &&
      Object.entries(clean.spans).some(([name, [start, end]]) => {
        const other = corrupted.spans[name];
        return other === undefined || other[0] !== start || other[1] !== end;
      }),
  },
  {
    reason: 'prompts of the same tokens',
    fails: ({ clean, corrupted }) =>
      clean.ids.length === corrupted.ids.length && clean.ids.every((id, i) => id === corrupted.ids[i]),
  },
  {
    reason: 'prompts longer than the model reads',
    fails: ({ clean, corrupted, tools }) =>
      tools.context.offset + Math.max(clean.ids.length, corrupted.ids.length) > tools.context.nCtx,
  },
  {
    reason: 'answers of several tokens',
    fails: ({ draft, tools }) =>
      draft.singleAnswers && [...draft.answer, ...draft.wrong].some((answer) => !tools.isSingle(answer)),
  },
  {
    reason: 'right and wrong answers that are the same tokens',
    fails: ({ draft }) => draft.answer.some((answer) => draft.wrong.includes(answer)),
  },
];

function checked(id: string, draft: Omit<Draft, 'reverse'>, tools: TaskTools): PairLine | null {
  const [clean, corrupted] = [layOut(draft.clean, tools), layOut(draft.corrupted, tools)];
  const drop = (reason: string): null => {
    tools.drops.add(reason, textOf(draft.clean));
    return null;
  };
  if (clean === null || corrupted === null) return drop('spans that do not end between two tokens');
  const failed = CONDITIONS.find(({ fails }) => fails({ draft, clean, corrupted, tools }));
  if (failed !== undefined) return drop(failed.reason);
  const key = draft.key.flatMap((name) => {
    const [start, end] = clean.spans[name] ?? [0, 0];
    return Array.from({ length: end - start }, (_, i) => start + i);
  });
  const read = draft.read === undefined ? 'last' : firstDifference(clean.ids, corrupted.ids, tools);
  return {
    id,
    clean: clean.text,
    corrupted: corrupted.text,
    answer: [...draft.answer],
    wrong: [...draft.wrong],
    answer_mode: draft.mode,
    read,
    item: draft.item,
    spans: { clean: { ...clean.spans }, corrupted: { ...corrupted.spans } },
    ...(key.length === 0 ? {} : { key: key.toSorted((a, b) => a - b) }),
    ...(draft.type === undefined || draft.type === '' ? {} : { type: draft.type }),
  };
}

/** Position of the first token that differs, the BOS counted. */
function firstDifference(a: readonly number[], b: readonly number[], tools: TaskTools): number {
  return (
    tools.context.offset +
    Math.max(
      0,
      a.findIndex((id, i) => id !== b[i]),
    )
  );
}
