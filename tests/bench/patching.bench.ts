import { patch } from '../../src/main/engine/interp/patch.ts';
import { costOf } from '../../src/main/engine/interp/cost.ts';
import { PatchSessions } from '../../src/main/engine/interp/sessions.ts';
import type { PatchTask } from '../../src/main/engine/interp/types.ts';
import { openModelFolder } from '../../src/main/models/index.ts';
import { ModelCompiler } from '../../src/main/runtime/compiler.ts';
import { LoadedModel } from '../../src/main/runtime/modelCache.ts';
import { SessionFactory } from '../../src/main/runtime/sessions.ts';
import { gemmSpeed } from '../../src/main/runtime/speed.ts';
import type { HookGrid } from '../../src/shared/domain/index.ts';
import { gpt2Shape, idsFrom, median, Peer, THREADS } from './support.ts';

interface Case {
  readonly tokens: number;
  readonly first: number;
  readonly hook: string;
  readonly grid: HookGrid;
}

const GRIDS: Record<string, HookGrid> = {
  resid_pre: { hook: 'blocks.{layer}.hook_resid_pre', axes: 'layer_position' },
  attn_out: { hook: 'blocks.{layer}.hook_attn_out', axes: 'layer_position' },
  mlp_out: { hook: 'blocks.{layer}.hook_mlp_out', axes: 'layer_position' },
  z: { hook: 'blocks.{layer}.attn.hook_z', axes: 'layer_head' },
};

/** Lengths to measure; ENGRAM_BENCH_TOKENS=16,64 limits them (a peer's sweep of 128 tokens takes minutes). */
function cases(): Case[] {
  const lengths = (process.env['ENGRAM_BENCH_TOKENS'] ?? '16').split(',').map(Number);
  return lengths.flatMap((tokens) =>
    [1, tokens / 2].flatMap((first) =>
      Object.entries(GRIDS).map(([hook, grid]) => ({ tokens, first, hook, grid })),
    ),
  );
}

/** Exact denoising sweeps of a GPT-2 124M shape against TransformerLens: same weights, threads and values. */
export default async function bench(): Promise<void> {
  const folder = await gpt2Shape();
  const factory = new SessionFactory({ threads: THREADS, provider: 'cpu' });
  const model = new LoadedModel(await openModelFolder(folder), factory, 8 * 2 ** 30);
  const sessions = new PatchSessions(model.config, new ModelCompiler(model));
  const loading = performance.now();
  await sessions.warm({ full: false, cross: false, rank: false });
  console.log(`  sessions ready in ${(performance.now() - loading).toFixed(0)} ms`);
  const peer = await Peer.start('transformer_lens_peer.py', [folder, String(THREADS)]);
  const rounds = Number(process.env['ENGRAM_BENCH_ROUNDS'] ?? 3);

  console.log(
    '  T, first difference, hook | ours ms | peer ms | ratio | of the GEMM floor | worst difference',
  );
  for (const { tokens, first, hook, grid } of cases()) {
    const next = idsFrom(7);
    const clean = Array.from({ length: tokens }, next);
    const corrupted = clean.map((id, t) => (t === first ? (id + 1) % 50_000 : id));
    const [answer, wrong] = [11, 13];
    const task: PatchTask = {
      pairs: [{ id: 'a', clean, corrupted, answer: [answer], wrong: [wrong], read: tokens - 1 }],
      grids: [grid],
      direction: 'denoising',
      metrics: ['logit_diff'],
    };
    const ours: number[] = [];
    const theirs: number[] = [];
    let worst = 0;
    for (let round = 0; round < rounds; round++) {
      const start = performance.now();
      let values = new Float64Array(0);
      for await (const block of patch(sessions, task)) values = block.raw[0] as Float64Array<ArrayBuffer>;
      ours.push(performance.now() - start);
      if (peer !== null) {
        const answerOf = await peer.ask({ hook, clean, corrupted, answer, wrong });
        theirs.push(answerOf.ms);
        worst = answerOf.values.reduce(
          (w, v, i) => Math.max(w, Math.abs(v - (values[i] ?? Number.NaN))),
          worst,
        );
      }
    }
    const floor = costOf(task, model.config).floorFlops / (await gemmSpeed(factory));
    const mine = median(ours);
    const ratio = peer === null ? '–' : `${(median(theirs) / mine).toFixed(1)}×`;
    console.log(
      `  ${tokens}, ${first}, ${hook} | ${mine.toFixed(0)} | ${peer === null ? '–' : median(theirs).toFixed(0)} | ${ratio} | ` +
        `${((100 * floor * 1000) / mine).toFixed(0)} % | ${peer === null ? '–' : worst.toExponential(1)}`,
    );
  }
  peer?.stop();
  await model.close();
}
