import type { Answer, PairCheck, PairFlag, PairLine, Prompt } from '../../../shared/domain/index.ts';

/** A prompt as text; ids are shown as given. */
export function promptText(prompt: Prompt): string {
  return typeof prompt === 'string' ? prompt : prompt.ids.join(' ');
}

export function answerText(answer: Answer): string {
  return typeof answer === 'string' ? answer : answer.join(' ');
}

/** First right and first wrong answer, trimmed, for the list. */
export function firstAnswers(line: PairLine): { right: string; wrong: string } {
  return {
    right: answerText(line.answer[0] ?? '').trim(),
    wrong: answerText(line.wrong[0] ?? '').trim(),
  };
}

export function isText(line: PairLine): boolean {
  return typeof line.clean === 'string' && typeof line.corrupted === 'string';
}

/** Clean and corrupted exchanged, answers and spans with them. */
export function swapped(line: PairLine): PairLine {
  return {
    ...line,
    clean: line.corrupted,
    corrupted: line.clean,
    answer: line.wrong,
    wrong: line.answer,
    ...(line.spans === undefined
      ? {}
      : { spans: { clean: line.spans.corrupted, corrupted: line.spans.clean } }),
  };
}

/** An id not yet in the set: `base`, `base-2`, `base-3` … */
export function freeId(base: string, taken: ReadonlySet<string>): string {
  if (!taken.has(base)) return base;
  for (let n = 2; ; n++) if (!taken.has(`${base}-${n}`)) return `${base}-${n}`;
}

/** `P-17` after `P-16`; a fresh number above all that are there. */
export function nextId(taken: ReadonlySet<string>): string {
  const numbers = [...taken].flatMap((id) => {
    const found = /^P-(\d+)$/.exec(id)?.[1];
    return found === undefined ? [] : [Number(found)];
  });
  return freeId(`P-${Math.max(taken.size, ...numbers) + 1}`, taken);
}

/** The worst level among flags. */
export function worst(flags: readonly PairFlag[]): PairFlag['level'] | null {
  if (flags.some((flag) => flag.level === 'error')) return 'error';
  return flags.length > 0 ? 'warning' : null;
}

export function gapOf(run: PairCheck['run']): number | null {
  return run === null ? null : run.cleanLogitDiff - run.corruptedLogitDiff;
}
