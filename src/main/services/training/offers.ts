import type { ModelConfig, TrainingConfig, TrainingOffer } from '../../../shared/domain/index.ts';
import { planAsAsked } from '../../engine/nn/trainingCost.ts';
import { parameterCount } from '../../models/index.ts';

/** A run as far as offers depend on it. */
export interface AskedRun {
  readonly model: ModelConfig;
  readonly config: TrainingConfig;
  /** Training sequences, and tokens of each, padding included. */
  readonly sequences: number;
  readonly length: number;
  readonly steps: number;
  readonly memoryBytes: number;
  /** Whether it fits as it is. */
  readonly fits: boolean;
  /** Seconds of the run with another configuration. */
  readonly secondsOf: (config: TrainingConfig, length: number) => number;
}

type Change = TrainingOffer['change'];

/** One way out: the change it makes, or null where it does not help. */
interface WayOut {
  readonly kind: TrainingOffer['kind'];
  readonly change: (run: AskedRun) => Change | null;
}

const SHORTEST = 16;
/** Share of the run that a warm-up takes where one is offered. */
const WARM_UP_SHARE = 0.1;

/** Peak bytes of a run with changes, as far as they matter for memory; null where it does not fit. */
function bytesWith(run: AskedRun, change: Change): number | null {
  const { batchSize, memoryMode } = { ...run.config, ...change };
  const { model, sequences, memoryBytes } = run;
  const length = Math.min(change.sequenceLength ?? run.length, run.length);
  const wanted = Math.min(batchSize, sequences);
  return planAsAsked(memoryMode, model, parameterCount(model), wanted, length, memoryBytes)?.bytes ?? null;
}

const fits = (run: AskedRun, change: Change): boolean => bytesWith(run, change) !== null;

/** Halves, quarters … of a number, down to a least one. */
function halves(n: number, least: number): number[] {
  const parts: number[] = [];
  for (let part = Math.floor(n / 2); part >= least; part = Math.floor(part / 2)) parts.push(part);
  return parts;
}

/** A smaller batch, with so many of them a step that a step has as many sequences as before, or a few more. */
function smallerBatch(run: AskedRun, also: Change = {}): Change | null {
  const { batchSize, accumulation, accumulationMean } = run.config;
  // The mean of batch means depends on the batches.
  if (accumulationMean === 'batches') return null;
  const found = halves(Math.min(batchSize, run.sequences), 1)
    .map((size) => ({
      ...also,
      batchSize: size,
      accumulation: Math.ceil((batchSize * accumulation) / size),
    }))
    .find((change) => fits(run, change));
  return found ?? null;
}

const unlessFits = (change: (run: AskedRun) => Change | null): WayOut['change'] => {
  return (run) => (run.fits ? null : change(run));
};

/** Ways out in the order in which they are offered. */
const WAYS_OUT: readonly WayOut[] = [
  {
    kind: 'accumulate',
    change: unlessFits((run) => (run.config.memoryMode === 'auto' ? null : smallerBatch(run))),
  },
  {
    kind: 'recompute',
    change: unlessFits((run) => {
      if (run.config.memoryMode !== 'whole') return null;
      const change = { memoryMode: 'layers' } as const;
      return fits(run, change) ? change : smallerBatch(run, change);
    }),
  },
  {
    kind: 'auto',
    change: unlessFits((run) => {
      const change = { memoryMode: 'auto' } as const;
      return run.config.memoryMode !== 'auto' && fits(run, change) ? change : null;
    }),
  },
  {
    kind: 'shorten',
    change: unlessFits((run) => {
      const length = halves(run.length, SHORTEST).find((n) => fits(run, { sequenceLength: n }));
      return length === undefined ? null : { sequenceLength: length };
    }),
  },
  {
    kind: 'warmup',
    change: ({ config, steps }) =>
      config.warmupSteps > steps ? { warmupSteps: Math.max(1, Math.floor(steps * WARM_UP_SHARE)) } : null,
  },
];

/** What mends a run, with what it takes then. */
export function offersFor(run: AskedRun): TrainingOffer[] {
  return WAYS_OUT.flatMap(({ kind, change: find }) => {
    const change = find(run);
    if (change === null) return [];
    const length = Math.min(change.sequenceLength ?? run.length, run.length);
    const memoryBytes = bytesWith(run, change);
    // A warm-up is offered for runs that do not fit too, whose memory it does not mend.
    if (memoryBytes === null) return [];
    return [{ kind, change, memoryBytes, seconds: run.secondsOf({ ...run.config, ...change }, length) }];
  });
}
