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
  /** Needs the model to have read the prompts. */
  readonly run: boolean;
  readonly value: (check: PairCheck) => string;
}

const nothing = () => '';

/** What is looked at, in the order it is listed when it passes. */
const CHECKS: readonly Check[] = [
  {
    code: 'unequal-length',
    run: false,
    value: ({ tokens }) => t.pairs.measured.lengths(tokens.clean.length, tokens.corrupted.length),
  },
  { code: 'several-differences', run: false, value: nothing },
  { code: 'multi-token-answer', run: false, value: nothing },
  { code: 'overlapping-answers', run: false, value: nothing },
  { code: 'answer-in-prompt', run: false, value: nothing },
  { code: 'gap-near-zero', run: true, value: ({ run }) => formatNumber(gapOf(run)) },
  {
    code: 'read-after-final-stop',
    run: false,
    value: ({ tokens }) => t.pairs.measured.position(tokens.read),
  },
  { code: 'wrong-preferred', run: true, value: nothing },
  { code: 'unknown-span', run: false, value: nothing },
  { code: 'too-long', run: false, value: nothing },
];

/** Checks that found nothing; those that need a run are left out where there was none. */
export function passedChecks(check: PairCheck): PassedCheck[] {
  const raised = new Set(check.flags.map((flag) => flag.code));
  return CHECKS.filter((c) => !raised.has(c.code) && (!c.run || check.run !== null)).map((c) => ({
    code: c.code,
    name: t.pairs.checkNames[c.code],
    value: c.value(check),
  }));
}
