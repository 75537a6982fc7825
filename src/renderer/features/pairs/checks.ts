import type { PairCheck, PairFlag } from '../../../shared/domain/index.ts';
import { formatNumber } from '../../../shared/figures/index.ts';
import { t } from '../../i18n/index.ts';
import { gapOf } from './pairText.ts';

export interface PassedCheck {
  readonly code: PairFlag['code'];
  readonly name: string;
  /** The measured value, where there is one. */
  readonly value: string;
}

interface Check {
  readonly code: PairFlag['code'];
  /** Needs the model to have read the prompts, or prompts of equal length. */
  readonly needs?: 'run' | 'aligned';
  readonly value: (check: PairCheck) => string;
}

const nothing = () => '';

/** What is looked at, in the order it is listed when it passes. */
const CHECKS: readonly Check[] = [
  {
    code: 'unequal-length',
    value: ({ tokens }) => t.pairs.measured.lengths(tokens.clean.length, tokens.corrupted.length),
  },
  { code: 'several-differences', needs: 'aligned', value: nothing },
  { code: 'multi-token-answer', value: nothing },
  { code: 'overlapping-answers', value: nothing },
  { code: 'bare-answer', value: nothing },
  { code: 'foreign-targets', value: nothing },
  { code: 'answer-in-prompt', value: nothing },
  { code: 'gap-near-zero', needs: 'run', value: ({ run }) => formatNumber(gapOf(run)) },
  {
    code: 'read-after-final-stop',
    value: ({ tokens }) => t.pairs.measured.position(tokens.read),
  },
  { code: 'wrong-preferred', needs: 'run', value: nothing },
  { code: 'unknown-span', value: nothing },
  { code: 'too-long', value: nothing },
];

/** Checks that found nothing; those whose ground is missing (no run, unequal lengths) are left out. */
export function passedChecks(check: PairCheck): PassedCheck[] {
  const raised = new Set(check.flags.map((flag) => flag.code));
  const holds = {
    run: check.run !== null,
    aligned: check.tokens.clean.length === check.tokens.corrupted.length,
  };
  return CHECKS.filter((c) => !raised.has(c.code) && (c.needs === undefined || holds[c.needs])).map((c) => ({
    code: c.code,
    name: t.pairs.checkNames[c.code],
    value: c.value(check),
  }));
}
