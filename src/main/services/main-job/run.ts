import { join } from 'node:path';
import type { Direction, Model, PairSet, SweepId } from '../../../shared/domain/index.ts';
import { hookInfo, sameRef, sweepRef } from '../../../shared/domain/index.ts';
import { formatNumber, siteName } from '../../../shared/figures/index.ts';
import type { RunResult } from './spec.ts';
import { curate, importFiles, pairSet } from './data.ts';
import type { MainJob } from './job.ts';
import { baseModel, evaluateBase, fineTune, type Trained } from './models.ts';
import { sweepModel, writeFigures, writeReport } from './results.ts';

/** Told before each step, by name. */
export type OnStep = (name: string) => void;

/**
 * The main job from import to report in the study that is open. Report and figures go to `out`. Run again
 * in the same study it takes what is there and does what is missing.
 */
export async function runMainJob(job: MainJob, out: string, onStep: OnStep): Promise<RunResult> {
  const steps: RunResult['steps'] = [];
  const step = async <T>(name: string, work: () => Promise<T> | T): Promise<T> => {
    onStep(name);
    const started = performance.now();
    const value = await work();
    steps.push({ name, ms: Math.round(performance.now() - started) });
    return value;
  };
  const { study, queue } = job.context.session.require();
  // What an earlier run left unfinished goes on by itself.
  await queue.idle();

  const records = await step('import', () => importFiles(job));
  const dataset = await step('curate', () => curate(job));
  const base = await step('model', () => baseModel(job));
  const set = await step('pairs', () => pairSet(job));
  const trained = await step('fine-tune', async () => {
    const made = await fineTune(job, base, dataset);
    if (made === null) await evaluateBase(job, base, dataset);
    return made;
  });
  const models = trained === null ? [base] : [base, trained.model];
  const sweeps = await step('sweep', () => sweepAll(job, models, set));
  await step('compare', () => compareAll(job, models, sweeps));
  const { figures, report } = await step('report', async () => ({
    figures: await writeFigures(
      job,
      join(out, 'figures'),
      sweeps.map(({ id }) => id),
    ),
    report: await writeReport(job, out),
  }));

  const before = study.models.get(base.id).evaluation;
  const after = trained === null ? null : study.models.get(trained.model.id).evaluation;
  const trainMs = steps.find(({ name }) => name === 'fine-tune')?.ms ?? 0;
  return {
    study: study.folder,
    report: report.path,
    figures,
    training:
      trained === null
        ? null
        : trainingResult(study.training.epochs(trained.run.id).length, trained, before, after, trainMs),
    pairs: {
      total: set?.count ?? 0,
      accuracy_before: accuracyOf(before, set),
      accuracy_after: accuracyOf(after, set),
    },
    records,
    dataset: { train: dataset.nTrain, validation: dataset.nValidation },
    sweeps: await Promise.all(sweeps.map(({ id }) => sweepResult(job, id))),
    warnings: report.warnings,
    steps,
  };
}

interface Swept {
  readonly id: SweepId;
  readonly model: Model;
  readonly direction: Direction;
}

async function sweepAll(job: MainJob, models: readonly Model[], set: PairSet | null): Promise<Swept[]> {
  const swept: Swept[] = [];
  if (set === null) return swept;
  for (const model of models) {
    for (const direction of job.spec.sweep.directions) {
      swept.push({ id: await sweepModel(job, model, set, direction), model, direction });
    }
  }
  return swept;
}

/** Base against fine-tuned in each direction, and both directions of the model that was swept last. */
async function compareAll(job: MainJob, models: readonly Model[], sweeps: readonly Swept[]): Promise<void> {
  const { directions } = job.spec.sweep;
  const find = (model: Model | undefined, direction: Direction | undefined): Swept | undefined =>
    sweeps.find((s) => s.model === model && s.direction === direction);
  const save = async (a: Swept | undefined, b: Swept | undefined, name: string): Promise<void> => {
    if (a === undefined || b === undefined || a === b) return;
    const saved = (await job.client.compare.list({})).some(
      (c) => sameRef(c.a, sweepRef(a.id)) && sameRef(c.b, sweepRef(b.id)),
    );
    if (!saved) await job.client.compare.save({ a: a.id, b: b.id, name });
  };
  const [base, tuned] = models;
  for (const direction of directions) {
    await save(
      find(base, direction),
      find(tuned, direction),
      `${base?.name} against ${tuned?.name}, ${direction}`,
    );
  }
  const last = models.at(-1);
  const [first, second] = directions;
  await save(find(last, first), find(last, second), `${last?.name}, ${first} against ${second}`);
}

function trainingResult(
  epochs: number,
  { run, model }: Trained,
  before: Model['evaluation'],
  after: Model['evaluation'],
  ms: number,
): RunResult['training'] {
  return {
    model: model.name,
    steps: run.step,
    epochs,
    best_epoch: run.bestEpoch,
    stopped_early: run.stoppedEarly,
    validation_loss_before: before?.validationLoss ?? null,
    validation_loss_after: after?.validationLoss ?? null,
    perplexity_before: before?.perplexity ?? null,
    perplexity_after: after?.perplexity ?? null,
    seconds: ms / 1000,
  };
}

function accuracyOf(evaluation: Model['evaluation'], set: PairSet | null): number | null {
  const score = evaluation?.pairAccuracy.find((accuracy) => accuracy.pairSetId === set?.id);
  return score === undefined ? null : score.right / score.total;
}

/** The strongest measured component (no residual stream) of a sweep, in words. */
async function sweepResult(job: MainJob, id: SweepId): Promise<RunResult['sweeps'][number]> {
  const sweep = await job.client.sweeps.get({ id });
  const metric = sweep.spec.metrics[0] ?? 'logit_diff';
  const grids = await Promise.all(
    sweep.spec.grids
      .filter(({ hook }) => !hookInfo(hook).residual)
      .map((key) => job.client.sweeps.grid({ id, ...key, metric })),
  );
  const best = grids
    .flatMap((grid) =>
      grid.recovery.map((value, site) => ({ grid, site, value: grid.state[site] === 'open' ? value : null })),
    )
    .filter((row): row is typeof row & { value: number } => row.value !== null)
    .sort((a, b) => Math.abs(b.value) - Math.abs(a.value))[0];
  return {
    label: sweep.label,
    name: sweep.name,
    sites: sweep.plan?.sites ?? 0,
    strongest:
      best === undefined
        ? 'no value'
        : `${hookInfo(best.grid.hook).short} ${siteName(best.grid, { layer: Math.floor(best.site / best.grid.columns), column: best.site % best.grid.columns })}: ${formatNumber(best.value, 3)}`,
  };
}
