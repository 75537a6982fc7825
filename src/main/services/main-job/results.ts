import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import writeFileAtomic from 'write-file-atomic';
import type { FigureRequest } from '../../../shared/contracts/index.ts';
import { invariant } from '../../../shared/errors/index.ts';
import type {
  Direction,
  SweepHookGrid,
  Model,
  PairSet,
  SweepId,
  SweepSpec,
} from '../../../shared/domain/index.ts';
import { parseHooks, sweepGridsFor } from '../sweeps/positions.ts';
import { finish, type MainJob } from './job.ts';

/** Sweeps one model over the pairs in one direction. */
export async function sweepModel(
  job: MainJob,
  model: Model,
  set: PairSet,
  direction: Direction,
): Promise<SweepId> {
  const { hooks, positions, metrics, epsilon, bos, seed } = job.spec.sweep;
  const grids = sweepGridsFor(parseHooks(hooks.join(',')), { positions });
  const spec: SweepSpec = {
    modelId: model.id,
    pairSetId: set.id,
    grids: [...grids],
    direction,
    method: 'exact',
    corruption: 'str',
    metrics,
    epsilon,
    bos,
    seed,
  };
  const { study } = job.context.session.require();
  const known = study.sweeps.list().find((s) => isDeepStrictEqual(s.spec, spec));
  const { sweepId, jobId } =
    known === undefined
      ? await job.client.sweeps.start({ name: `${model.name}, ${direction}`, spec })
      : { sweepId: known.id, jobId: known.jobId };
  if (jobId !== null) await finish(job, jobId);
  return sweepId;
}

/** Writes the report beside the study. */
export async function writeReport(
  job: MainJob,
  folder: string,
): Promise<{ path: string; warnings: string[] }> {
  const { client, spec } = job;
  const report = await client.report.get({});
  await client.report.save({
    ...report,
    title: spec.report.title ?? report.title,
    author: spec.report.author,
  });
  const { html, warnings } = await client.report.preview({});
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'report.html');
  await writeFileAtomic(path, html);
  return { path, warnings };
}

/** Writes the figures of the main job as SVG and PNG with their numbers as CSV; the paths. */
export async function writeFigures(
  job: MainJob,
  folder: string,
  sweeps: readonly SweepId[],
): Promise<string[]> {
  mkdirSync(folder, { recursive: true });
  const paths: string[] = [];
  for (const figure of await figureRequests(job, sweeps)) {
    for (const format of ['svg', 'png', 'csv'] as const) {
      const { url, name } = await job.client.report.figure({ figure, options: { format } });
      const offer = job.files.offered(url.slice(url.lastIndexOf('/') + 1));
      invariant(offer !== undefined && 'bytes' in offer.content, `the figure ${name} was not kept`);
      const path = join(folder, name.replaceAll(' ', '-'));
      await writeFileAtomic(path, Buffer.from(offer.content.bytes));
      paths.push(path);
    }
  }
  return paths;
}

/** One figure per result; grids without a value (a gap near zero) are left to the report's words. */
async function figureRequests(
  { context, client, spec }: MainJob,
  sweeps: readonly SweepId[],
): Promise<FigureRequest[]> {
  const { study } = context.session.require();
  const metric = spec.sweep.metrics[0] ?? 'logit_diff';
  const [first] = sweeps;
  const grids = first === undefined ? [] : study.sweeps.get(first).spec.grids;
  const hasValues = async (id: SweepId, grid: SweepHookGrid): Promise<boolean> =>
    (await client.sweeps.grid({ id, ...grid, metric })).recovery.some((value) => value !== null);
  const requests: FigureRequest[] = [
    { kind: 'flow' },
    ...study.training.list().map((run) => ({ kind: 'training' as const, id: run.id })),
  ];
  for (const grid of grids) {
    for (const id of sweeps) {
      if (await hasValues(id, grid)) requests.push({ kind: 'sweep', id, ...grid, metric });
    }
    for (const { a, b } of study.comparisons.list()) {
      // The main job compares its own sweeps; what a person compared with external results is theirs to draw.
      if (a.kind === 'external' || b.kind === 'external') continue;
      if ((await hasValues(a.id, grid)) && (await hasValues(b.id, grid)))
        requests.push({ kind: 'comparison', a, b, ...grid, metric });
    }
  }
  return requests;
}
