import { basename, resolve } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { hookInfo, type PatchResult } from '../../../../shared/domain/index.ts';
import { UserInputError } from '../../../../shared/errors/index.ts';
import { preparePair } from '../../../../shared/pairs/index.ts';
import type { PatchBlock } from '../../../runtime/api.ts';
import { parsePairsStrictly } from '../../../services/pairs/parse.ts';
import { gridsFor, parseHooks } from '../../../services/sweeps/positions.ts';
import { assembleResult } from '../../../services/sweeps/result.ts';
import type { CommandContext, CommandDefinition } from '../command.ts';
import { openFolderModel, withCompute, type ComputeFlags } from '../folder-model.ts';
import { parseBos, parseDirection, parseMetrics, positiveNumber, readTextFile } from '../parse.ts';

interface PatchFlags extends ComputeFlags {
  readonly model: string;
  readonly pairs: string;
  readonly hooks: string;
  readonly positions?: string;
  readonly method: string;
  readonly direction: string;
  readonly metric: string;
  readonly corruption: string;
  readonly bos: string;
  readonly epsilon: string;
  readonly strategy: string;
  readonly out?: string;
}

export const patchCommand: CommandDefinition = (program, run) => {
  program
    .command('patch')
    .description('patch activations of a model folder over prompt pairs, without a study')
    .requiredOption('--model <dir>', 'Hugging Face model folder')
    .requiredOption('--pairs <file>', 'PAIRS.jsonl')
    .requiredOption('--hooks <list>', 'comma-separated hooks, e.g. resid_pre,mlp_out,z')
    .option('--positions <which>', 'each, all, last, or span:NAME,…')
    .option('--method <name>', 'exact', 'exact')
    .option('--direction <name>', 'denoising or noising', 'denoising')
    .option('--metric <list>', 'logit_diff, logit_diff_sum, prob, log_prob, kl', 'logit_diff')
    .option('--corruption <name>', 'str', 'str')
    .option('--bos <choice>', 'auto, yes or no', 'auto')
    .option('--epsilon <number>', 'smallest gap that gives a recovery', '1e-6')
    .option('--strategy <name>', 'packed, or naive: the whole model once per site, to check', 'packed')
    .option('--threads <n>', 'threads; 0 = one per core')
    .option('--provider <name>', 'cpu, cuda, dml or webgpu')
    .option('--out <file>', 'write the result here')
    .action(run(patch));
};

async function patch(context: CommandContext, flags: PatchFlags): Promise<void> {
  const { terminal } = context;
  only('--method', flags.method, 'exact');
  only('--corruption', flags.corruption, 'str');
  const strategy = flags.strategy === 'naive' ? 'naive' : only('--strategy', flags.strategy, 'packed');
  const metrics = parseMetrics(flags.metric);
  const direction = parseDirection(flags.direction);
  const epsilon = positiveNumber('--epsilon', flags.epsilon);
  const hooks = parseHooks(flags.hooks);
  const lines = parsePairsStrictly(readTextFile(flags.pairs), basename(flags.pairs));
  const { grids, views } = gridsFor(hooks, flags.positions, lines);
  const opened = await openFolderModel(flags.model, parseBos(flags.bos));
  const pairs = lines.map((line) => preparePair(line, opened.context));

  const result = await withCompute(context, flags, async (compute): Promise<PatchResult> => {
    const blocks: PatchBlock[] = [];
    const total = grids.length * pairs.length;
    const started = performance.now();
    const request = { folder: opened.folder, pairs, grids, direction, metrics, strategy } as const;
    const done = await compute.patch(request, {
      onEvent: (block) => {
        blocks.push(block);
        const seconds = ((performance.now() - started) / 1000).toFixed(1);
        terminal.progress(`${blocks.length} of ${total} blocks, ${seconds} s`);
      },
    });
    const { engine } = await compute.info();
    return {
      engine,
      model: opened.name,
      provider: done.provider,
      direction,
      method: 'exact',
      corruption: 'str',
      bos: opened.context.bos !== null,
      timing: { load_ms: done.loadMs, sweep_ms: done.sweepMs, peak_rss_mb: done.peakRssBytes / 2 ** 20 },
      ...assembleResult({ pairs, grids, metrics, direction, epsilon, blocks, views }),
    };
  });

  if (flags.out !== undefined) await writeFileAtomic(resolve(flags.out), `${JSON.stringify(result)}\n`);
  if (terminal.json) terminal.result(result);
  else for (const line of summaryLines(result)) terminal.say(line);
  if (flags.out !== undefined) terminal.say(`Written to ${flags.out}`);
}

function only<T extends string>(option: string, given: string, known: T): T {
  if (given === known) return known;
  throw new UserInputError('OPTION_INVALID', `${option} cannot be “${given}” here.`, `Use ${known}.`);
}

/** The strongest sites of each hook and metric, for people. */
function summaryLines(result: PatchResult): string[] {
  const head = `${result.model}, ${result.direction}, ${result.pairs.length} pairs, ${Math.round(result.timing.sweep_ms)} ms`;
  return [
    head,
    ...result.summary.map(({ hook, metric, axes, shape, recovery }) => {
      const best = recovery
        .map((value, flat) => ({ value, flat }))
        .filter((site): site is { value: number; flat: number } => site.value !== null)
        .sort((a, b) => Math.abs(b.value) - Math.abs(a.value))
        .slice(0, 3)
        .map(({ value, flat }) => `${siteText(axes, shape, flat)} ${value.toFixed(3)}`);
      return `${shortName(hook)} ${metric}: ${best.join(', ') || 'no value'}`;
    }),
  ];
}

function shortName(hook: string): string {
  const [known] = parseHooks(hook);
  return known === undefined ? hook : hookInfo(known).short;
}

function siteText(axes: readonly string[], shape: readonly number[], flat: number): string {
  let rest = flat;
  const at = axes.toReversed().map((axis, i) => {
    const extent = shape[axes.length - 1 - i] ?? 1;
    const index = rest % extent;
    rest = (rest - index) / extent;
    return `${axis} ${index}`;
  });
  return at.toReversed().join(' ');
}
