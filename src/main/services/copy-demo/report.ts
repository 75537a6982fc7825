import { hookInfo } from '../../../shared/domain/index.ts';
import type { CopyFindings, HeadEffect } from './localise.ts';

const number = (value: number | null): string => (value === null ? '–' : value.toFixed(3).replace('-', '−'));
const headName = ({ layer, head }: { readonly layer: number; readonly head: number }): string =>
  `${layer}.${head}`;

/** Sites at which the estimate is furthest from the exact effect, the worst first. */
export function worstDisagreements(effects: readonly HeadEffect[], n: number): HeadEffect[] {
  const error = ({ exact, estimated }: HeadEffect): number => Math.abs((exact ?? 0) - (estimated ?? 0));
  return effects.toSorted((a, b) => error(b) - error(a)).slice(0, n);
}

/** The findings for a terminal: what attention shows, what patching shows, and where AtP is wrong. */
export function findingsLines(findings: CopyFindings): string[] {
  const { accuracy, asked, scores, pairs, effects, agreement } = findings;
  const at = (hook: string, { layer, head }: { layer: number; head: number }): HeadEffect | undefined =>
    effects.find((e) => hookInfo(e.hook).short === hook && e.layer === layer && e.head === head);
  return [
    `Copies ${(100 * accuracy).toFixed(1)} % of ${asked.toLocaleString('en')} foretold letters`,
    '',
    `Recovery over ${pairs} pairs, exact (estimated by AtP)`,
    'head  previous  matching  output          keys            queries         values',
    ...scores.map((score) =>
      [
        headName(score).padEnd(6),
        number(score.previousToken).padEnd(10),
        number(score.prefixMatching).padEnd(10),
        ...['z', 'k', 'q', 'v'].map((hook) => {
          const effect = at(hook, score);
          return `${number(effect?.exact ?? null)} (${number(effect?.estimated ?? null)})`.padEnd(16);
        }),
      ]
        .join('')
        .trimEnd(),
    ),
    '',
    'Furthest from exact: ' +
      worstDisagreements(effects, 4)
        .map(
          (e) =>
            `${hookInfo(e.hook).short} ${headName(e)} ${number(e.estimated)} instead of ${number(e.exact)}`,
        )
        .join('; '),
    ...agreement.map(
      ({ hook, agreement: { spearman, largestError } }) =>
        `${hookInfo(hook).short}: Spearman ${number(spearman)}, largest error ${number(largestError)}`,
    ),
  ];
}
