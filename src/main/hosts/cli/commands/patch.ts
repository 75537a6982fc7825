import { resolve } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { hookInfo, METHODS, METRICS, type PatchResult } from '../../../../shared/domain/index.ts';
import type { PatchBlock, PatchPlanSummary } from '../../../runtime/api.ts';
import { parseHooks } from '../../../services/sweeps/positions.ts';
import { assembleResult } from '../../../services/sweeps/result.ts';
import { attentionLines, attentionOutcomes, watchedHeads, type WatchFlags } from '../attention-outcome.ts';
import type { CommandContext, CommandDefinition } from '../command.ts';
import { methodChoice, verificationLines, type MethodFlags } from '../estimation.ts';
import type { z } from 'zod';
import type { PatchPlanOutput } from '../formats.ts';
import { openFolderModel, withCompute, type ComputeFlags } from '../folder-model.ts';
import { parseBos, positiveNumber } from '../parse.ts';
import { patchRequest, type PatchTaskFlags } from '../patch-request.ts';

interface PatchFlags extends ComputeFlags, PatchTaskFlags, MethodFlags, WatchFlags {
  readonly model: string;
  readonly bos: string;
  readonly epsilon: string;
  readonly plan?: boolean;
  readonly out?: string;
}

export const patchCommand: CommandDefinition = (program, run) => {
  program
    .command('patch')
    .description('patch activations of a model folder over prompt pairs, without a study')
    .requiredOption('--model <dir>', 'Hugging Face model folder')
    .requiredOption('--pairs <file>', 'PAIRS.jsonl')
    .option('--hooks <list>', 'comma-separated hooks, e.g. resid_pre,mlp_out,z')
    .option(
      '--joint <sites...>',
      'sites patched together: HOOK:LAYER[.HEAD|#NEURON][@POSITION[<FROM]] joined by +',
    )
    .option('--watch <heads>', 'with --joint: heads whose attention is read as the outcome, e.g. 9.6,9.9')
    .option('--looks <list>', 'with --watch: from where to where, e.g. END>IO,END>S1')
    .option('--positions <which>', 'each, all, last, an index, at:NAME, or span:NAME,…')
    .option('--from <position>', 'with one place: the token or span of the source run pasted there')
    .option('--window <layers>', 'patch this many neighbouring layers together')
    .option('--neurons <list>', 'neurons of mlp hooks one by one: indices, or all')
    .option('--sources', 'attention cells one by one, query × key')
    .option('--method <name>', METHODS.map((m) => m.name).join(', '), 'exact')
    .option('--steps <n>', 'with ig: points of the line from base to source (5)')
    .option('--verify-top <k>', 'patch the k strongest estimated sites of each hook exactly')
    .option('--direction <name>', 'denoising or noising', 'denoising')
    .option('--metric <list>', METRICS.map((m) => m.name).join(', '), 'logit_diff')
    .option('--corruption <name>', 'str, or gn: Gaussian noise on the key tokens', 'str')
    .option('--draws <n>', 'with gn: noise draws', '10')
    .option('--noise <factor>', 'with gn: standard deviations of the key tokens’ embeddings', '3')
    .option('--seed <n>', 'seed of noise and resampling', '42')
    .option('--source <what>', 'pair, prompt, zero, mean, mean_position, resample or model:DIR', 'pair')
    .option(
      '--reference <file>',
      'PAIRS.jsonl whose clean prompts means and resampling use (default: the pairs)',
    )
    .option('--bos <choice>', 'auto, yes or no', 'auto')
    .option('--epsilon <number>', 'smallest gap that gives a recovery', '1e-6')
    .option('--strategy <name>', 'packed, or naive: the whole model once per site, to check', 'packed')
    .option('--memory <MB>', 'working memory of one packed batch')
    .option('--plan', 'print what it would cost, and run nothing')
    .option('--threads <n>', 'threads; 0 = one per core')
    .option('--provider <name>', 'cpu, cuda, dml or webgpu')
    .option('--out <file>', 'write the result here')
    .action(run(patch));
};

async function patch(context: CommandContext, flags: PatchFlags): Promise<void> {
  const { terminal } = context;
  const { method, plan, run, verified } = methodChoice(flags);
  const epsilon = positiveNumber('--epsilon', flags.epsilon);
  const opened = await openFolderModel(flags.model, parseBos(flags.bos));
  const request = patchRequest(flags, opened.folder, opened.context);
  const watched = watchedHeads(flags, request);
  if (flags.plan === true) {
    const cost = await withCompute(context, flags, (compute) => plan(compute, request));
    if (terminal.json) terminal.result(planOutput(cost));
    else for (const line of planLines(cost)) terminal.say(line);
    return;
  }
  const result = await withCompute(context, flags, async (compute): Promise<PatchResult> => {
    const blocks: PatchBlock[] = [];
    const total = request.grids.length * request.pairs.length * (request.noise?.draws ?? 1);
    const started = performance.now();
    const done = await run(compute, request, (block) => {
      blocks.push(block);
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      terminal.progress(`${blocks.length} of ${total} blocks, ${seconds} s`);
    });
    const { engine } = await compute.info();
    const { pairs, grids, metrics, direction, noise } = request;
    return {
      engine,
      model: opened.name,
      provider: done.provider,
      direction,
      method,
      corruption: flags.corruption,
      ...(flags.source === 'pair' ? {} : { source: flags.source }),
      bos: opened.context.bos !== null,
      timing: { load_ms: done.loadMs, sweep_ms: done.sweepMs, peak_rss_mb: done.peakRssBytes / 2 ** 20 },
      ...assembleResult({
        pairs,
        grids,
        metrics,
        direction,
        smallestGap: () => epsilon,
        blocks,
        draws: noise?.draws,
      }),
      ...(watched === null ? {} : { attention: await attentionOutcomes(compute, request, watched) }),
      ...(await verified(compute, request, blocks, epsilon)),
    };
  });

  if (flags.out !== undefined) await writeFileAtomic(resolve(flags.out), `${JSON.stringify(result)}\n`);
  if (terminal.json) terminal.result(result);
  else
    for (const line of [
      ...summaryLines(result),
      ...attentionLines(result.attention ?? []),
      ...verificationLines(result.verification ?? []),
    ])
      terminal.say(line);
  if (flags.out !== undefined) terminal.say(`Written to ${flags.out}`);
}

function planOutput(plan: PatchPlanSummary): z.infer<typeof PatchPlanOutput> {
  return {
    effects: plan.sites,
    structural_zeros: plan.structuralZeros,
    base_runs: plan.baseRuns,
    groups: plan.groups,
    runs: plan.runs,
    batches: plan.batches,
    block_rows: plan.blockRows,
    floor_flops: plan.floorFlops,
    peak_bytes: plan.peakBytes,
    seconds: plan.seconds,
  };
}

/** What a task will cost, for people. */
function planLines(plan: PatchPlanSummary): string[] {
  const whole = (n: number): string => Math.round(n).toLocaleString('en');
  return [
    `${whole(plan.sites)} effects, of them ${whole(plan.structuralZeros)} structural zeros that cost nothing`,
    `${whole(plan.baseRuns)} base runs, ${whole(plan.runs)} patched runs in ${whole(plan.batches)} packed batches`,
    `${whole(plan.blockRows)} token rows through whole blocks; floor ${(plan.floorFlops / 1e9).toFixed(1)} GFLOP`,
    `largest batch ${(plan.peakBytes / 2 ** 20).toFixed(0)} MB; about ${plan.seconds.toFixed(2)} s on this machine`,
  ];
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
        .map(({ value, flat }) => `${siteText(axes, shape, flat)} ${value.toFixed(3)}`.trim());
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
