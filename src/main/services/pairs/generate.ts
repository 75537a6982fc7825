import { setImmediate } from 'node:timers/promises';
import type { KeepRule, PairLine, TaskResult, TaskSpec } from '../../../shared/domain/index.ts';
import { UserInputError } from '../../../shared/errors/index.ts';
import type { EncodeContext } from '../../../shared/pairs/index.ts';
import { openTask } from '../../engine/tasks/index.ts';
import { describe } from './describe.ts';
import type { Gap, GapReader } from './gaps.ts';

/** Pairs a preview shows, and reads with the model. */
const PREVIEW = 12;
/** Pairs drawn between two pauses, or judged together. */
const BATCH = 16;
/** With a keep rule the draws end at this many times the pairs asked for. */
const MOST_DRAWS = 20;

/** Whether a pair stays. */
const KEEPS: Readonly<Record<KeepRule, (gap: Gap) => boolean>> = {
  all: () => true,
  'prefers-right': (gap) => gap.cleanLogitDiff > 0,
  'top-1': (gap) => gap.top1,
};
const REJECTED: Readonly<Record<KeepRule, string>> = {
  all: '',
  'prefers-right': 'the model prefers the wrong answer',
  'top-1': 'the model’s likeliest token is not the answer',
};

interface Generation {
  readonly spec: TaskSpec;
  readonly keep: KeepRule;
  readonly preview: boolean;
  readonly context: EncodeContext;
  readonly folder: string;
  readonly gaps: GapReader;
}

/**
 * Draws the pairs of a task; with a keep rule, until as many as asked for pass it. A preview draws without it
 * and judges the pairs it shows. Throws UserInputError `PAIRS_NO_TOKENIZER`, `TASK_WORDS`, `TASK_SLOT`.
 */
export async function generatePairs(generation: Generation): Promise<TaskResult> {
  const { spec, keep, preview, context } = generation;
  const { tokenizer, bos, nCtx } = context;
  if (tokenizer === null) {
    throw new UserInputError(
      'PAIRS_NO_TOKENIZER',
      'Pairs of a task are written as text, but the model has no tokenizer.',
      'Import the model again with tokenizer.json in its folder.',
    );
  }
  const source = openTask(spec, { tokenizer, offset: bos === null ? 0 : 1, nCtx });
  const judging = keep !== 'all' && !preview;
  const judge = judgeOf(generation);
  const rejected: string[] = [];
  const kept: (readonly PairLine[])[] = [];
  let drawn = 0;
  let read = 0;
  let ended = false;
  while (!ended && kept.length < spec.count && drawn < spec.count * MOST_DRAWS) {
    await setImmediate();
    const groups: (readonly PairLine[])[] = [];
    while (groups.length < Math.min(BATCH, spec.count - kept.length)) {
      const next = source.next();
      ended = next === null;
      if (next === null) break;
      groups.push(next);
    }
    drawn += groups.length;
    const passed = judging ? await judge(groups) : groups.map(() => true);
    if (judging) read += groups.length;
    groups.forEach((group, i) => {
      if (passed[i] === true) kept.push(group);
      else rejected.push(group[0]?.id ?? '');
    });
  }
  const shown = preview ? kept.slice(0, PREVIEW) : kept;
  const judged = await judgedOf(keep, judging, { read, kept: kept.length }, () => judge(shown));
  return {
    lines: shown.flat(),
    drawn: kept.length,
    asked: spec.count,
    dropped: [
      ...source.dropped(),
      ...(rejected.length === 0
        ? []
        : [{ reason: REJECTED[keep], count: rejected.length, examples: rejected.slice(0, 5) }]),
    ],
    shortage: kept.length >= spec.count ? null : shortageOf(ended),
    judged,
  };
}

async function judgedOf(
  keep: KeepRule,
  judging: boolean,
  counted: { readonly read: number; readonly kept: number },
  judgeShown: () => Promise<boolean[]>,
): Promise<TaskResult['judged']> {
  if (keep === 'all') return null;
  if (judging) return counted;
  const passed = await judgeShown();
  return { read: passed.length, kept: passed.filter(Boolean).length };
}

function shortageOf(ended: boolean): string {
  return ended
    ? 'The task holds no more different pairs that meet its conditions.'
    : 'Too few pairs passed the model’s judgement.';
}

/** Whether the model keeps each group: every direction of it must pass. */
function judgeOf({ keep, context, folder, gaps }: Generation) {
  return async (groups: readonly (readonly PairLine[])[]): Promise<boolean[]> => {
    const patches = groups.map((group) => group.map((line) => describe(line, context).patch));
    const flat = patches.flat().filter((patch) => patch !== null);
    const read = new Map((await gaps.read(folder, flat)).map((gap, i) => [flat[i], gap]));
    return patches.map((group) =>
      group.every((patch) => {
        const gap = patch === null ? undefined : read.get(patch);
        return gap !== undefined && KEEPS[keep](gap);
      }),
    );
  };
}
