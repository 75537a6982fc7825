import { SMALLEST_LOGIT_GAP } from '../domain/ratio.ts';
import type { PairFlag, PairLine, PairTokens, Token } from '../domain/index.ts';
import { reduceAnswers, scoringMode } from './encode.ts';
import { spanProblems } from './read.ts';

/** A gap of the logit difference below this makes recoveries unstable: a warning (METHODS section 2). */
export const GAP_WARNING = SMALLEST_LOGIT_GAP;

/** What the rules look at. `run` once a model has read both prompts. */
export interface PairSituation {
  readonly line: PairLine;
  readonly tokens: PairTokens;
  readonly nCtx: number;
  readonly run: { readonly cleanLogitDiff: number; readonly corruptedLogitDiff: number } | null;
}

interface FlagRule {
  readonly code: PairFlag['code'];
  readonly level: PairFlag['level'];
  readonly consequence: string;
  /** The fact with its numbers, or null where the trap does not arise. */
  readonly fact: (pair: PairSituation) => string | null;
}

const plural = (n: number, one: string): string => `${n} ${one}${n === 1 ? '' : 's'}`;
const textOf = (tokens: readonly Token[]): string => tokens.map((token) => token.text).join('');
const idsOf = (tokens: readonly Token[]): number[] => tokens.map((token) => token.id);

const FINAL_STOP = /[.!?]["”’)]?\s*$/u;
/** A word of a script that puts spaces between words, without one before it. */
const BARE_WORD = /^[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}]{2}/u;

/** The traps of METHODS section 4 that a pair can hold, one row each. */
export const FLAG_RULES: readonly FlagRule[] = [
  {
    code: 'unequal-length',
    level: 'error',
    consequence: 'Sites inside the model cannot be patched; rewrite the prompts to equal length.',
    fact: ({ tokens }) =>
      tokens.clean.length === tokens.corrupted.length
        ? null
        : `Lengths ${tokens.clean.length} and ${tokens.corrupted.length} differ.`,
  },
  {
    code: 'identical-prompts',
    level: 'error',
    consequence: 'Every effect is zero by construction; change the tokens that carry the fact.',
    fact: ({ tokens }) =>
      tokens.clean.length === tokens.corrupted.length && tokens.differing.length === 0
        ? 'Clean and corrupted are the same tokens.'
        : null,
  },
  {
    code: 'too-long',
    level: 'error',
    consequence: 'The model cannot read it; shorten the prompts.',
    fact: ({ tokens, nCtx }) => {
      const longest = Math.max(tokens.clean.length, tokens.corrupted.length);
      return longest > nCtx ? `${longest} tokens; the model reads at most ${nCtx}.` : null;
    },
  },
  {
    code: 'unknown-span',
    level: 'error',
    consequence: 'Draw the span, or refer to one that exists.',
    fact: ({ line, tokens }) => {
      const problems = spanProblems(line, tokens.clean.length, tokens.corrupted.length);
      return problems.length === 0 ? null : capitalised(`${problems.join('; ')}.`);
    },
  },
  {
    code: 'several-differences',
    level: 'warning',
    consequence: 'An effect belongs to all of them together; change one token where the question allows it.',
    fact: ({ tokens }) =>
      tokens.differing.length > 1 ? `${tokens.differing.length} positions differ.` : null,
  },
  {
    code: 'multi-token-answer',
    level: 'warning',
    consequence: 'Their logits are read at one position as if each stood alone; prefer answers of one token.',
    fact: ({ line, tokens }) => {
      if (line.answer_mode === 'sequence') return null;
      const long = [...tokens.answer, ...tokens.wrong].filter((alternative) => alternative.length > 1);
      const first = long[0];
      if (first === undefined) return null;
      const rest = long.length > 1 ? ` and ${long.length - 1} more` : '';
      return `“${textOf(first)}” is ${plural(first.length, 'token')}${rest}.`;
    },
  },
  {
    code: 'overlapping-answers',
    level: 'warning',
    consequence: 'Shared tokens cancel in the logit difference; make the sets disjoint.',
    fact: ({ line, tokens }) => {
      const mode = scoringMode(line);
      const right = reduceAnswers(tokens.answer.map(idsOf), mode);
      const wrong = new Set(reduceAnswers(tokens.wrong.map(idsOf), mode));
      const shared = right.filter((id) => wrong.has(id)).length;
      return shared === 0
        ? null
        : `The sets share ${shared} of their ${right.length} and ${plural(wrong.size, 'token')}.`;
    },
  },
  {
    code: 'bare-answer',
    level: 'warning',
    consequence:
      'In the sentence a space stands before it: other tokens are predicted there. Put one before it.',
    fact: ({ line }) => {
      if (typeof line.clean === 'string' && !/\S\s+\S/u.test(line.clean)) return null;
      const bare = [...line.answer, ...line.wrong].find((a) => typeof a === 'string' && BARE_WORD.test(a));
      return bare === undefined ? null : `“${String(bare)}” has no space before it.`;
    },
  },
  {
    code: 'foreign-targets',
    level: 'warning',
    consequence: 'They belong to another question; score tokens of the answers that the prompts hold.',
    fact: ({ tokens }) => {
      const asked = tokens.clean.findIndex((token) => token.text.includes('?'));
      if (asked < 0 || !FINAL_STOP.test(tokens.clean[tokens.read]?.text ?? '')) return null;
      const given = new Set(idsOf(tokens.clean.slice(asked + 1)));
      const targets = new Set(tokens.answer.flatMap(idsOf));
      const there = [...targets].filter((id) => given.has(id)).length;
      return given.size > 0 && 2 * there < targets.size
        ? `${there} of ${plural(targets.size, 'target token')} stand in the answer that the clean prompt gives.`
        : null;
    },
  },
  {
    code: 'answer-in-prompt',
    level: 'warning',
    consequence: 'The model may copy it instead of recalling it.',
    fact: ({ tokens }) =>
      presence('right', tokens.answer, 'clean', tokens.clean) ??
      presence('wrong', tokens.wrong, 'corrupted', tokens.corrupted),
  },
  {
    code: 'read-after-final-stop',
    level: 'warning',
    consequence:
      'There the model predicts what follows the sentence; read at the first differing answer token.',
    fact: ({ tokens }) => {
      const token = tokens.clean[tokens.read];
      return token !== undefined && FINAL_STOP.test(token.text)
        ? `The metric is read after “${token.text.trim()}” (token ${tokens.read}).`
        : null;
    },
  },
  {
    code: 'gap-near-zero',
    level: 'warning',
    consequence: 'Recovery divides by this gap and becomes unstable or undefined.',
    fact: ({ run }) => {
      if (run === null) return null;
      const gap = run.cleanLogitDiff - run.corruptedLogitDiff;
      return Math.abs(gap) < GAP_WARNING ? `The gap between clean and corrupted is ${signed(gap)}.` : null;
    },
  },
  {
    code: 'wrong-preferred',
    level: 'warning',
    consequence:
      'The model does not know this fact as asked; a sweep explains a preference it does not have.',
    fact: ({ run }) =>
      run !== null && run.cleanLogitDiff <= 0
        ? `On clean the logit difference is ${signed(run.cleanLogitDiff)}: the wrong answer is preferred.`
        : null,
  },
];

/** Every trap that arises in a pair, in the order of the table. */
export function pairFlags(pair: PairSituation): PairFlag[] {
  return FLAG_RULES.flatMap(({ code, level, consequence, fact }) => {
    const text = fact(pair);
    return text === null ? [] : [{ code, level, fact: text, consequence }];
  });
}

export function hasError(flags: readonly PairFlag[]): boolean {
  return flags.some((flag) => flag.level === 'error');
}

function presence(
  which: 'right' | 'wrong',
  alternatives: readonly (readonly Token[])[],
  side: 'clean' | 'corrupted',
  prompt: readonly Token[],
): string | null {
  for (const alternative of alternatives) {
    const at = prompt.findIndex((_, start) => alternative.every((t, i) => prompt[start + i]?.id === t.id));
    if (at >= 0) return `The ${which} answer “${textOf(alternative)}” stands in ${side} at token ${at}.`;
  }
  return null;
}

function signed(value: number): string {
  return value.toFixed(3).replace('-', '−');
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
