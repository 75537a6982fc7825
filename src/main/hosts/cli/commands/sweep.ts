import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import {
  Corruption,
  Direction,
  MetricName,
  SweepMethod,
  SweepNoise,
  SweepSpec,
  type PairSet,
  type Sweep,
  type SweepSource,
} from '../../../../shared/domain/index.ts';
import { UserInputError } from '../../../../shared/errors/index.ts';
import { parseHooks, sweepGridsFor } from '../../../services/sweeps/positions.ts';
import { storedResult } from '../../../services/sweeps/table.ts';
import type { Study } from '../../../store/index.ts';
import type { CommandContext, CommandDefinition } from '../command.ts';
import type { ComputeFlags } from '../folder-model.ts';
import { readJsonFile } from '../parse.ts';
import { withStudy } from '../study.ts';
import { findModel } from './train.ts';

interface SweepFlags extends ComputeFlags {
  readonly spec: string;
}

/** Where pasted values come from; another model by its name. */
const NamedSource = z.union([
  z.enum(['prompt', 'zero', 'resample']).transform((kind) => ({ kind })),
  z.literal('mean').transform(() => ({ kind: 'mean' as const, perPosition: false })),
  z.literal('mean_position').transform(() => ({ kind: 'mean' as const, perPosition: true })),
  z.strictObject({ model: z.union([z.string(), z.number()]).transform(String) }),
]);

/** A sweep as people write it: names instead of numbers. */
const SweepFile = z.strictObject({
  name: z.string().trim().min(1).max(120).optional(),
  model: z.union([z.string(), z.number()]).transform(String),
  pairs: z.union([z.string(), z.number()]).transform(String),
  hooks: z.array(z.string().min(1)).min(1),
  /** As `engram patch --positions`: each, all, last, an index, at:NAME, or span:NAME,… */
  positions: z.union([z.string().min(1), z.number().int().transform(String)]).optional(),
  /** With one place: the token or span of the source run that is pasted there. */
  from: z.union([z.string().min(1), z.number().int().transform(String)]).optional(),
  /** Neurons of mlp hooks one by one. */
  neurons: z.union([z.literal('all'), z.array(z.number().int().nonnegative()).min(1)]).optional(),
  /** Only these layers. */
  layers: z.array(z.number().int().nonnegative()).min(1).optional(),
  source: NamedSource.optional(),
  /** Widths of windows of layers patched together; 1 = single layers. */
  windows: z.array(z.number().int().min(1)).min(1).default([1]),
  corruption: Corruption.default('str'),
  noise: SweepNoise.optional(),
  direction: Direction.default('denoising'),
  method: SweepMethod.default('exact'),
  steps: z.number().int().min(1).max(1000).optional(),
  metrics: z.array(MetricName).min(1).default(['logit_diff']),
  epsilon: z.number().positive().default(1e-6),
  bos: z.enum(['auto', 'yes', 'no']).default('auto'),
  seed: z.number().int().nonnegative().default(42),
});

export const sweepCommand: CommandDefinition = (program, run) => {
  program
    .command('sweep')
    .description('patch over a pair set of a study; continues an interrupted sweep of the same settings')
    .argument('<study>', 'study folder')
    .requiredOption(
      '--spec <file>',
      'JSON: model, pairs, hooks, positions, layers, neurons, windows, source, corruption, noise, direction, method, metrics',
    )
    .option('--threads <n>', 'threads; 0 = one per core')
    .option('--provider <name>', 'cpu, cuda, dml or webgpu')
    .action(run(sweep));
};

async function sweep(context: CommandContext, folder: string, flags: SweepFlags): Promise<void> {
  const { terminal } = context;
  const file = readJsonFile(resolve(flags.spec), SweepFile);
  await withStudy(context, flags, folder, null, async ({ client, context: services }) => {
    const { study, queue } = services.session.require();
    const model = findModel(study, file.model);
    const { positions, from, neurons, layers: onlyLayers } = file;
    const grids = sweepGridsFor(parseHooks(file.hooks.join(',')), {
      ...{ positions, from, neurons, onlyLayers },
    }).flatMap((grid) => file.windows.map((window) => (window === 1 ? grid : { ...grid, window })));
    const spec = SweepSpec.parse({
      modelId: model.id,
      pairSetId: findSet(study, file.pairs).id,
      grids,
      direction: file.direction,
      ...(file.source === undefined ? {} : { source: sourceOf(study, file.source) }),
      method: file.method,
      steps: file.steps,
      corruption: file.corruption,
      ...(file.noise === undefined ? {} : { noise: file.noise }),
      metrics: file.metrics,
      epsilon: file.epsilon,
      bos: file.bos,
      seed: file.seed,
    });
    const open = interrupted(study, spec);
    const name = file.name ?? `${model.name}, ${file.direction}`;
    const { sweepId, jobId } = open ?? (await client.sweeps.start({ spec, name }));
    if (open !== null) queue.resume(jobId);
    await queue.wait(jobId);
    if (terminal.json) terminal.result(storedResult(study, sweepId));
    const done = study.sweeps.get(sweepId);
    terminal.say(
      `${done.label} ${done.name}: ${done.plan?.sites ?? 0} sites, ${done.plan?.pairs ?? 0} pairs, ${done.status}`,
    );
    for (const warning of done.warnings) terminal.say(`  ${warning}`);
  });
}

function sourceOf(study: Study, source: z.output<typeof NamedSource>): SweepSource {
  return 'model' in source ? { kind: 'model', modelId: findModel(study, source.model).id } : source;
}

/** A sweep of the same settings that is not finished. */
function interrupted(
  study: Study,
  spec: SweepSpec,
): { sweepId: Sweep['id']; jobId: NonNullable<Sweep['jobId']> } | null {
  const found = study.sweeps.list().find((s) => s.status !== 'complete' && isDeepStrictEqual(s.spec, spec));
  return found === undefined || found.jobId === null ? null : { sweepId: found.id, jobId: found.jobId };
}

function findSet(study: Study, name: string): PairSet {
  const set = study.pairs.findSet(name);
  if (set !== undefined) return set;
  const names = study.pairs.sets().map((s) => s.name);
  throw new UserInputError(
    'PAIR_SET_UNKNOWN',
    `The study has no pair set “${name}”.`,
    `It has: ${names.join(', ') || 'none'}.`,
  );
}
