import { attribute, planAttribution } from '../../src/main/engine/interp/attribution/attribute.ts';
import { GraphCache } from '../../src/main/engine/interp/graphCache.ts';
import type { AttributionTask } from '../../src/main/engine/interp/attribution/types.ts';
import { openModelFolder } from '../../src/main/models/index.ts';
import { ModelCompiler } from '../../src/main/runtime/compiler.ts';
import { LoadedModel } from '../../src/main/runtime/modelCache.ts';
import { SessionFactory } from '../../src/main/runtime/sessions.ts';
import type { HookGrid } from '../../src/shared/domain/index.ts';
import { gpt2Shape, idsFrom, median, Peer, THREADS } from './support.ts';

/** All sites: the peer lists the same hooks in the same order. */
const GRIDS: readonly HookGrid[] = [
  ...(
    [
      'hook_resid_pre',
      'hook_resid_mid',
      'hook_attn_out',
      'hook_mlp_out',
      'mlp.hook_pre',
      'mlp.hook_post',
    ] as const
  ).map((hook): HookGrid => ({ hook: `blocks.{layer}.${hook}`, axes: 'layer_position' })),
  ...(['attn.hook_q', 'attn.hook_k', 'attn.hook_v', 'attn.hook_z'] as const).map((hook): HookGrid => ({
    hook: `blocks.{layer}.${hook}`,
    axes: 'layer_head_position',
  })),
];

/** PAIRS×TOKENS to measure; ENGRAM_BENCH_ATTRIBUTION=1x16,16x16 chooses others. */
function cases(): { pairs: number; tokens: number }[] {
  return (process.env['ENGRAM_BENCH_ATTRIBUTION'] ?? '1x16,16x16,1x64,1x128').split(',').map((text) => {
    const [pairs, tokens] = text.split('x').map(Number);
    return { pairs: pairs ?? 1, tokens: tokens ?? 16 };
  });
}

/** Attribution patching of all sites against TransformerLens's gradient caching: same weights, threads and values. */
export default async function bench(): Promise<void> {
  const folder = process.env['ENGRAM_BENCH_MODEL'] ?? (await gpt2Shape());
  const factory = new SessionFactory({ threads: THREADS, provider: 'cpu' });
  const model = new LoadedModel(await openModelFolder(folder), factory, 8 * 2 ** 30);
  const sessions = new GraphCache(model.config, new ModelCompiler(model));
  const peer = await Peer.start('transformer_lens_attribution_peer.py', [folder, String(THREADS)]);
  const rounds = Number(process.env['ENGRAM_BENCH_ROUNDS'] ?? 3);
  const vocabulary = model.config.vocabSize;

  console.log(
    '  pairs × tokens | ours ms | peer ms, activations only (ratio) | peer ms, weights too (ratio) | worst difference, largest value | peak MB, ours and peer',
  );
  for (const { pairs, tokens } of cases()) {
    const next = idsFrom(7);
    const prompts = Array.from({ length: pairs }, () => {
      const clean = Array.from({ length: tokens }, () => next() % vocabulary);
      return { clean, corrupted: clean.map((id, t) => (t === 1 ? (id + 1) % vocabulary : id)) };
    });
    const [answer, wrong] = [11, 13];
    const task: AttributionTask = {
      pairs: prompts.map((p, i) => ({
        id: String(i),
        ...p,
        answer: [answer],
        wrong: [wrong],
        read: tokens - 1,
      })),
      grids: GRIDS,
      direction: 'denoising',
      metrics: ['logit_diff'],
      method: 'atp',
    };
    const ours: number[] = [];
    const theirs = new Map<boolean, number[]>([
      [false, []],
      [true, []],
    ]);
    let [worst, largest, rss] = [0, 0, 0];
    // One round more than counted: the first warms both.
    for (let round = 0; round <= rounds; round++) {
      const start = performance.now();
      const values: number[] = [];
      const blocks = new Map<string, number[]>();
      for await (const block of attribute(sessions, planAttribution(task, sessions.config))) {
        const base = block.corrupted[0] ?? Number.NaN;
        blocks.set(
          `${block.pair}:${block.grid}`,
          Array.from(block.raw[0] ?? [], (raw) => raw - base),
        );
      }
      const ms = performance.now() - start;
      if (round > 0) ours.push(ms);
      for (let p = 0; p < pairs; p++)
        GRIDS.forEach((_, g) => values.push(...(blocks.get(`${p}:${g}`) ?? [])));
      if (peer === null) continue;
      for (const [weights, times] of theirs) {
        const { clean, corrupted } = {
          clean: prompts.map((p) => p.clean),
          corrupted: prompts.map((p) => p.corrupted),
        };
        const told = await peer.ask({ clean, corrupted, answer, wrong, weights });
        if (round > 0) times.push(told.ms);
        rss = told.rss_mb;
        told.values.forEach((v, i) => {
          worst = Math.max(worst, Math.abs(v - (values[i] ?? Number.POSITIVE_INFINITY)));
          largest = Math.max(largest, Math.abs(v));
        });
      }
    }
    const mine = median(ours);
    const column = (weights: boolean): string => {
      const ms = median(theirs.get(weights) ?? []);
      return peer === null ? '–' : `${ms.toFixed(0)} (${(ms / mine).toFixed(1)}×)`;
    };
    const peak = process.resourceUsage().maxRSS / 1024;
    console.log(
      `  ${pairs} × ${tokens} | ${mine.toFixed(0)} | ${column(false)} | ${column(true)} | ` +
        `${worst.toExponential(1)}, ${largest.toFixed(2)} | ${peak.toFixed(0)}, ${rss.toFixed(0)}`,
    );
  }
  peer?.stop();
  await model.close();
}
