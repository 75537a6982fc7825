import {
  METHODS,
  METRICS,
  smallestGap,
  SweepNoise,
  type Sweep,
  type SweepSpec,
} from '../../../shared/domain/index.ts';
import type { Study } from '../../store/index.ts';
import { gridWords, sourceWords } from '../sweeps/words.ts';

export interface SpecNames {
  readonly model: string;
  readonly pairs: string;
  /** Where pasted values come from. */
  readonly source: string;
}

export function specNames(study: Study, sweep: Sweep): SpecNames {
  const set = study.pairs.sets().find((s) => s.id === sweep.spec.pairSetId);
  return {
    model: study.models.get(sweep.spec.modelId).name,
    pairs: set === undefined ? 'removed set' : `${set.name} v${set.version}`,
    source: sourceWords(study, sweep.spec),
  };
}

export const metricWords = (metric: string): string =>
  METRICS.find((m) => m.name === metric)?.label ?? metric;

export const methodWords = (method: SweepSpec['method']): string =>
  METHODS.find((m) => m.name === method)?.label ?? method;

/** How the two runs of a pair come to differ. */
export function corruptionWords({ corruption, noise }: SweepSpec): string {
  if (corruption === 'str') return 'symmetric token replacement';
  const { draws, scale, spans } = SweepNoise.parse(noise ?? {});
  const tokens = spans === undefined ? 'each pair’s key tokens' : spans.join(', ');
  return `Gaussian noise of ${scale} SD on ${tokens}, ${draws} ${draws === 1 ? 'draw' : 'draws'}`;
}

/** |clean − corrupted| from which on there are ratios, with the metrics it holds for where they differ. */
export function smallestGapWords({ metrics, epsilon }: SweepSpec): string {
  const groups = [...Map.groupBy(metrics, (metric) => smallestGap(metric, epsilon))];
  return groups
    .map(([gap, own]) => (groups.length === 1 ? String(gap) : `${gap} (${own.map(metricWords).join(', ')})`))
    .join('; ');
}

/** Every setting of a sweep in words, always the same rows in the same order. */
export function describeSpec({ spec }: Sweep, names: SpecNames): { name: string; value: string }[] {
  return [
    { name: 'Model', value: names.model },
    { name: 'Pairs', value: names.pairs },
    { name: 'Direction', value: spec.direction },
    { name: 'Pasted from', value: names.source },
    { name: 'Method', value: methodWords(spec.method) },
    { name: 'Corruption', value: corruptionWords(spec) },
    { name: 'Metrics', value: spec.metrics.map(metricWords).join(', ') },
    {
      name: 'Hooks',
      value: spec.grids.map((g) => `${g.hook} by ${g.axes.replaceAll('_', ' × ')}${gridWords(g)}`).join('; '),
    },
    { name: 'BOS', value: spec.bos },
    { name: 'Smallest gap', value: smallestGapWords(spec) },
    { name: 'Seed', value: String(spec.seed) },
  ];
}
