import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compose, type Core } from '../../../src/main/hosts/compose.ts';
import { appPaths } from '../../../src/main/hosts/paths.ts';
import { runMainJob } from '../../../src/main/services/main-job/run.ts';
import { RunResult, RunSpec } from '../../../src/main/services/main-job/spec.ts';
import { parseHooks } from '../../../src/main/services/sweeps/positions.ts';
import { verifyStudy } from '../../../src/main/services/verify.ts';
import { sweepJob } from '../../../src/main/jobs/sweep.ts';
import type { EngramEvents, EventName } from '../../../src/shared/contracts/index.ts';
import { SweepSpec, TRAINING_PRESETS } from '../../../src/shared/domain/index.ts';

// The whole main job on the bundled sample with a model of one thousandth the size of GPT-2 small and two
// epochs: every step is real, only the model learns little.
const spec = RunSpec.parse({
  name: 'Small',
  import: ['synthetic-abstracts.csv'],
  exclude: [{ query: 'Castelvane', reason: 'Off topic' }],
  model: { create: { nLayer: 2, nHead: 2, dModel: 16, nCtx: 64, tokenizer: 'sample', name: 'base' } },
  train: { preset: 'quick', epochs: 2, sequenceLength: 32, batchSize: 8, name: 'tuned' },
  pairs: 'pairs.jsonl',
  sweep: { hooks: ['resid_pre', 'z'], directions: ['denoising'], epsilon: 1e-9 },
});

let folder: string;
let core: Core;
let result: RunResult;
const steps: string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'engram-main-job-'));
  const paths = appPaths();
  core = compose({ paths, folders: { data: join(folder, 'data'), studies: folder }, host: 'browser' });
  await core.context.session.create(join(folder, 'study'), spec.name);
  const { client, context, files } = core;
  const base = join(paths.resources, 'sample');
  result = await runMainJob({ spec, base, client, context, files, sample: true }, folder, (name) =>
    steps.push(name),
  );
}, 120_000);

afterAll(async () => {
  await core.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('the main job', () => {
  it('goes from import to report, in order, and says what came of it', () => {
    expect(steps).toEqual(['import', 'curate', 'model', 'pairs', 'fine-tune', 'sweep', 'compare', 'report']);
    expect(result.steps.map((step) => step.name)).toEqual(steps);
    expect(RunResult.parse(result)).toEqual(result);
    expect(result.records.added).toBeGreaterThan(30);
    expect(result.training?.epochs).toBe(2);
    expect(result.training?.validation_loss_after ?? 99).toBeLessThan(
      result.training?.validation_loss_before ?? 0,
    );
    expect(result.pairs.total).toBeGreaterThan(20);
    expect(result.sweeps.map((sweep) => sweep.label)).toEqual(['S-01', 'S-02']);
  });

  it('excludes what the search finds and freezes the rest', async () => {
    const flow = await core.client.curate.flow({});
    expect(flow.excluded).toBeGreaterThan(0);
    expect(flow.undecided).toBe(0);
    expect(flow.included).toBe(result.dataset.train + result.dataset.validation);
  });

  it('keeps the fine-tuned model with its parent, tokenizer and evaluation', async () => {
    const [base, tuned] = await core.client.models.list({});
    expect(tuned).toMatchObject({ origin: 'fine-tuned', parentId: base?.id, tokenizer: base?.tokenizer });
    expect(tuned?.weightsHash).not.toBe(base?.weightsHash);
    expect(tuned?.evaluation?.pairAccuracy[0]?.total).toBe(result.pairs.total);
    const { run, epochs, steps: points } = await core.client.training.get({ id: tuned?.trainingRunId ?? 0 });
    expect(run.provenance?.inputHash).toMatch(/^[0-9a-f]{64}$/);
    expect(epochs).toHaveLength(2);
    expect(points.at(-1)?.step).toBe(run.step);
  });

  it('writes a report that stands alone, with its warnings', () => {
    const html = readFileSync(result.report, 'utf8');
    expect(html).not.toMatch(/<script|<link|src="http|url\(http/);
    expect(html.match(/<svg /g)?.length).toBeGreaterThan(3);
    expect(html).toContain('AdamW');
    expect(html).toContain('S-01');
    for (const warning of result.warnings)
      expect(html).toContain(warning.slice(0, 40).replaceAll('&', '&amp;'));
  });

  it('writes every figure as SVG, PNG and CSV', () => {
    expect(result.figures.length % 3).toBe(0);
    expect(result.figures.every((path) => existsSync(path) && statSync(path).size > 50)).toBe(true);
    const names = result.figures.map((path) => path.slice(path.lastIndexOf('/') + 1));
    expect(new Set(names).size).toBe(names.length);
  });

  it('reads grids, sites, comparisons and tables of the sweeps', async () => {
    const [b, a] = await core.client.sweeps.list({});
    if (a === undefined || b === undefined) throw new Error('two sweeps were run');
    const key = { hook: 'blocks.{layer}.attn.hook_z', axes: 'layer_head', metric: 'logit_diff' } as const;
    const grid = await core.client.sweeps.grid({ id: b.id, ...key });
    expect(grid).toMatchObject({ layers: 2, columns: 2, columnLabels: ['0', '1'] });
    expect(grid.pairsDone).toBe(grid.pairsTotal);
    const site = await core.client.sweeps.site({ id: b.id, ...key, layer: 1, column: 0 });
    expect(site.pairs).toHaveLength(grid.pairsTotal);
    expect(site.recovery).toBe(grid.recovery[2]);
    expect(site.clusters).toBeLessThan(site.n);
    const view = await core.client.compare.view({ a: a.id, b: b.id, ...key });
    expect(view.settings).toEqual([{ name: 'Model', a: 'base', b: 'tuned' }]);
    expect(view.difference).toHaveLength(4);
    const { text } = await core.client.report.methods({ id: b.id });
    expect(text).toContain('Denoising (clean → corrupted)');
    expect((await core.client.sweeps.table({ id: b.id, format: 'csv' })).bytes).toBeGreaterThan(1000);
  });

  it('run again, takes what is there and adds nothing', async () => {
    const { client, context, files } = core;
    const base = join(appPaths().resources, 'sample');
    const again = await runMainJob(
      { spec, base, client, context, files, sample: true },
      folder,
      () => undefined,
    );
    const timeless = ({ steps: _steps, training, ...rest }: RunResult) => ({
      ...rest,
      training: { ...training, seconds: 0 },
    });
    expect(timeless(again)).toEqual(timeless(result));
    const { study } = context.session.require();
    const rows = [
      study.sources,
      study.datasets,
      study.models,
      study.training,
      study.sweeps,
      study.comparisons,
    ];
    expect(rows.map((repository) => repository.list().length)).toEqual([1, 1, 2, 1, 2, 1]);
    expect(study.pairs.sets()).toHaveLength(1);
  });

  it('can be verified: database, files, and effects computed again', async () => {
    const check = await verifyStudy(core.context.session.require().study, core.compute, 10);
    expect(check).toMatchObject({
      ok: true,
      database: [],
      artifacts: { damaged: [] },
      effects: { different: [] },
    });
    expect(check.effects.checked).toBeGreaterThanOrEqual(10);
    // One pair packed alone adds its float32 sums in another order than all pairs packed together.
    expect(check.effects.maxError).toBeLessThan(1e-5);
  });
});

describe('a sweep that is interrupted', () => {
  const grids = ['resid_mid', 'attn_out', 'mlp_out', 'z'].map((hook) => ({
    hook: parseHooks(hook)[0] ?? 'blocks.{layer}.attn.hook_z',
    axes: hook === 'z' ? ('layer_head_position' as const) : ('layer_position' as const),
  }));

  function spec(): SweepSpec {
    const { study } = core.context.session.require();
    const [base] = study.models.list();
    const [set] = study.pairs.sets();
    if (base === undefined || set === undefined) throw new Error('the main job left a model and a pair set');
    const common = { direction: 'noising', method: 'exact', corruption: 'str', metrics: ['logit_diff'] };
    return SweepSpec.parse({ modelId: base.id, pairSetId: set.id, grids, ...common });
  }

  it('runs only the blocks that are missing', async () => {
    const { study, queue } = core.context.session.require();
    const whole = await core.client.sweeps.start({ spec: spec(), name: 'whole' });
    await queue.wait(whole.jobId);

    // A sweep of the same settings whose first half was stored before, with values that nothing computes.
    const inputs = study.sweeps.inputs(whole.sweepId);
    const half = study.sweeps.insert({ name: 'half', spec: spec(), plan: null, warnings: [], inputs });
    const mark = 1234.5;
    for (const [grid] of grids.entries()) {
      for (const block of study.blocks.read(whole.sweepId, grid, 0).slice(0, inputs.length / 2)) {
        const { pair, shape, zero, trivial, clean, corrupted } = block;
        const raw = [block.raw.map(() => mark)];
        study.blocks.store(half.id, {
          grid,
          pair,
          shape,
          raw,
          clean: [clean],
          corrupted: [corrupted],
          zero,
          trivial,
        });
      }
    }
    const stored = study.blocks.count(half.id);
    expect(stored).toBeGreaterThan(0);
    const { id } = queue.start(sweepJob, { sweepId: half.id });
    await queue.wait(id);
    expect(study.blocks.count(half.id)).toBe(study.blocks.count(whole.sweepId));
    for (const [grid] of grids.entries()) {
      const wanted = study.blocks.read(whole.sweepId, grid, 0);
      study.blocks.read(half.id, grid, 0).forEach((block, pair) => {
        const before = pair < Math.floor(inputs.length / 2);
        const worst = block.raw.reduce((most, value, i) => {
          const expected = before ? mark : (wanted[pair]?.raw[i] ?? Number.NaN);
          return Number.isNaN(value) && Number.isNaN(expected)
            ? most
            : Math.max(most, Math.abs(value - expected));
        }, 0);
        // Fewer pairs in a pack add their float32 sums in another order.
        expect(worst).toBeLessThan(1e-5);
      });
    }
  });
});

describe('a training run that is interrupted', () => {
  /** Resolves at the first event of a kind that passes. */
  function once<K extends EventName>(kind: K, passes: (payload: EngramEvents[K]) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const stop = core.bus.subscribe((message) => {
        // The name decides the payload's type.
        if (message.event !== kind || !passes(message.payload as EngramEvents[K])) return;
        stop();
        resolve();
      });
    });
  }

  async function start(epochs: number) {
    const { study } = core.context.session.require();
    const [model] = study.models.list();
    const [dataset] = study.datasets.list();
    if (model === undefined || dataset === undefined)
      throw new Error('the main job left a model and a dataset');
    const config = {
      ...TRAINING_PRESETS.quick,
      preset: 'own' as const,
      epochs,
      patience: 0,
      sequenceLength: 32,
      batchSize: 4,
    };
    return core.client.training.start({
      modelId: model.id,
      datasetId: dataset.id,
      config,
      name: `${epochs} epochs`,
    });
  }

  it('goes on by itself when the study is opened again, without a gap in its curve', async () => {
    const { runId, jobId } = await start(6);
    await once('trainingEpoch', (epoch) => epoch.runId === runId);
    const { folder: place } = core.context.session.require().study;
    await core.context.session.close();
    const { queue, study } = await core.context.session.open(place);
    await queue.wait(jobId);
    expect(queue.get(jobId).resumed).toBe(true);
    const run = study.training.get(runId);
    expect(run.status).toBe('complete');
    expect(run.modelId).not.toBeNull();
    expect(study.training.epochs(runId).map((point) => point.epoch)).toEqual([1, 2, 3, 4, 5, 6]);
    const steps = study.training.steps(runId).map((point) => point.step);
    expect(steps).toEqual(Array.from({ length: run.totalSteps }, (_, i) => i + 1));
    expect(study.training.epochs(runId).filter((point) => point.best)).toHaveLength(1);
  });

  it('can be ended early with its best checkpoint kept', async () => {
    const { runId, jobId } = await start(500);
    await once('trainingEpoch', (epoch) => epoch.runId === runId);
    await core.client.training.stopAndKeep({ id: runId });
    const { queue, study } = core.context.session.require();
    await queue.wait(jobId);
    const run = study.training.get(runId);
    expect(run).toMatchObject({ status: 'complete', stoppedEarly: true });
    expect(run.step).toBeLessThan(run.totalSteps);
    expect(
      run.modelId === null ? null : study.models.get(run.modelId).evaluation?.validationLoss,
    ).toBeGreaterThan(0);
  });
});
