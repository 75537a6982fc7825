import { costOf } from '../../src/main/engine/interp/cost.ts';
import { patch } from '../../src/main/engine/interp/patch.ts';
import { PatchSessions } from '../../src/main/engine/interp/sessions.ts';
import type { PatchPair, PatchTask } from '../../src/main/engine/interp/types.ts';
import { openModelFolder } from '../../src/main/models/index.ts';
import { ModelCompiler } from '../../src/main/runtime/compiler.ts';
import { logitsAtRows } from '../../src/main/engine/nn/readGraphs.ts';
import { LoadedModel } from '../../src/main/runtime/modelCache.ts';
import { i64, SessionFactory } from '../../src/main/runtime/sessions.ts';
import { measureGemmSpeed } from '../../src/main/runtime/speed.ts';
import type { HookGrid } from '../../src/shared/domain/index.ts';
import { gpt2Shape, idsFrom, median, Peer, THREADS } from './support.ts';

const GRIDS: Readonly<Record<string, HookGrid>> = {
  resid_pre: { hook: 'blocks.{layer}.hook_resid_pre', axes: 'layer_position' },
  attn_out: { hook: 'blocks.{layer}.hook_attn_out', axes: 'layer_position' },
  mlp_out: { hook: 'blocks.{layer}.hook_mlp_out', axes: 'layer_position' },
  z: { hook: 'blocks.{layer}.attn.hook_z', axes: 'layer_head' },
};
const ANSWER = 11;
const WRONG = 13;
const HEAD_PAIRS = 32;
const LAYERS = 12;

interface Case {
  readonly name: string;
  readonly hook: string;
  readonly pairs: readonly PatchPair[];
  /** Layers that the peer is measured on; it costs the same at every layer, and its time is scaled to all. */
  readonly peerLayers: readonly number[];
  /** Of every layer, each so many-th position. */
  readonly peerStride: number;
  /** Pairs that the peer is measured on, scaled to all. */
  readonly peerPairs: number;
  readonly rounds: number;
}

function pairsOf(count: number, tokens: number, first: number): PatchPair[] {
  const next = idsFrom(7);
  return Array.from({ length: count }, (_, i) => {
    const clean = Array.from({ length: tokens }, next);
    const corrupted = clean.map((id, t) => (t === first ? (id + 1) % 50_000 : id));
    return { id: `p${i}`, clean, corrupted, answer: [ANSWER], wrong: [WRONG], read: tokens - 1 };
  });
}

/** Layers of the peer by prompt length: a whole sweep of 128 tokens would take it a quarter of an hour. */
const PEER_LAYERS: Readonly<Record<number, readonly number[]>> = {
  16: [0, 5, 11],
  32: [5],
  64: [5],
  128: [5],
};

/** ENGRAM_BENCH_TOKENS=16,64 limits the lengths, ENGRAM_BENCH_ROUNDS the rounds. */
function cases(): Case[] {
  const lengths = (process.env['ENGRAM_BENCH_TOKENS'] ?? '16,32,64,128').split(',').map(Number);
  const most = Number(process.env['ENGRAM_BENCH_ROUNDS'] ?? 3);
  const sweeps = lengths.flatMap((tokens) =>
    [1, tokens / 2].flatMap((first) =>
      ['resid_pre', 'attn_out', 'mlp_out'].map((hook) => ({
        name: `${hook}, T = ${tokens}, first difference ${first}`,
        hook,
        pairs: pairsOf(1, tokens, first),
        peerLayers: PEER_LAYERS[tokens] ?? [5],
        peerStride: Math.max(1, tokens / 32),
        peerPairs: 1,
        rounds: tokens > 32 ? 1 : most,
      })),
    ),
  );
  const heads = [1, 8].map((first) => ({
    name: `144 heads × ${HEAD_PAIRS} pairs, T = 16, first difference ${first}`,
    hook: 'z',
    pairs: pairsOf(HEAD_PAIRS, 16, first),
    peerLayers: [],
    peerStride: 1,
    peerPairs: 1,
    rounds: 1,
  }));
  return lengths.includes(16) ? [...sweeps, ...heads] : sweeps;
}

const worstOf = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((w, v, i) => Math.max(w, Math.abs(v - (b[i] ?? Number.NaN))), 0);

/**
 * Exact denoising sweeps of a GPT-2 124M shape against TransformerLens's patching functions, and logits of 32
 * prompts: same weights, threads and values, in one run.
 */
export default async function bench(): Promise<void> {
  const folder = await gpt2Shape();
  const factory = new SessionFactory({ threads: THREADS, provider: 'cpu' });
  const model = new LoadedModel(await openModelFolder(folder), factory, 8 * 2 ** 30);
  const sessions = new PatchSessions(model.config, new ModelCompiler(model));
  const loading = performance.now();
  await sessions.warm({ full: false, cross: false, rank: false });
  console.log(`  sessions ready in ${(performance.now() - loading).toFixed(0)} ms`);
  const peer = await Peer.start('transformer_lens_peer.py', [folder, String(THREADS)]);
  let peerMemory = 0;

  console.log('  sweep | ours ms | peer ms | ratio | of the GEMM floor | worst difference');
  for (const one of cases()) {
    const grid = GRIDS[one.hook];
    if (grid === undefined) throw new Error(`no grid ${one.hook}`);
    const task: PatchTask = {
      pairs: one.pairs,
      grids: [grid],
      direction: 'denoising',
      metrics: ['logit_diff'],
    };
    const asked = one.pairs
      .slice(0, one.peerPairs)
      .map(({ clean, corrupted }) => ({ clean, corrupted, answer: ANSWER, wrong: WRONG }));
    const width = one.pairs[0]?.clean.length ?? 0;
    const positions = Array.from({ length: width }, (_, t) => t).filter((t) => t % one.peerStride === 0);
    const ours: number[] = [];
    const theirs: number[] = [];
    const speeds: number[] = [];
    let worst = 0;
    for (let round = 0; round < one.rounds; round++) {
      speeds.push(await measureGemmSpeed(factory));
      const values = new Map<number, Float64Array>();
      const start = performance.now();
      for await (const block of patch(sessions, task)) {
        values.set(block.pair, block.raw[0] ?? new Float64Array(0));
      }
      ours.push(performance.now() - start);
      if (peer === null) continue;
      const answer = await peer.ask({ hook: one.hook, layers: one.peerLayers, positions, pairs: asked });
      peerMemory = Math.max(peerMemory, answer.rss_mb);
      const share =
        (one.peerPairs / one.pairs.length) *
        (one.peerLayers.length === 0 ? 1 : one.peerLayers.length / LAYERS / one.peerStride);
      theirs.push(answer.ms / share);
      const own = values.get(0) ?? new Float64Array(0);
      const same =
        one.peerLayers.length === 0
          ? [...own]
          : one.peerLayers.flatMap((layer) => positions.map((t) => own[layer * width + t] ?? Number.NaN));
      worst = Math.max(worst, worstOf(answer.values, same));
    }
    const floor = costOf(task, model.config).floorFlops / Math.max(...speeds);
    const mine = median(ours);
    const beside =
      peer === null ? '– | –' : `${median(theirs).toFixed(0)} | ${(median(theirs) / mine).toFixed(1)}×`;
    console.log(
      `  ${one.name} | ${mine.toFixed(0)} | ${beside} | ${((100 * floor * 1000) / mine).toFixed(0)} % | ` +
        (peer === null ? '–' : worst.toExponential(1)),
    );
  }
  await logits(model, peer);
  const peak = process.resourceUsage().maxRSS / 1024;
  console.log(
    `  peak memory: ours ${peak.toFixed(0)} MB, peer ${peer === null ? '–' : `${peerMemory.toFixed(0)} MB`}`,
  );
  peer?.stop();
  await model.close();
}

/** Last-position logits of 32 prompts of 16 tokens in one batch. */
async function logits(model: LoadedModel, peer: Peer | null): Promise<void> {
  const prompts = pairsOf(HEAD_PAIRS, 16, 1).map((p) => p.clean);
  const session = await model.session('bench logits', () => logitsAtRows(model.config, model.weights));
  const ids = i64(prompts.flat(), [prompts.length, 16]);
  const rows = i64(
    prompts.map((_, i) => i * 16 + 15),
    [prompts.length],
  );
  const ours: number[] = [];
  const theirs: number[] = [];
  let worst = 0;
  for (let round = 0; round < 5; round++) {
    const start = performance.now();
    const { logits: out } = await session.run({ ids, rows });
    ours.push(performance.now() - start);
    if (peer === null || !(out?.data instanceof Float32Array)) continue;
    const answer = await peer.ask({ hook: 'logits', prompts });
    theirs.push(answer.ms);
    const { data } = out;
    const same = prompts.flatMap((_, i) => [
      ...data.subarray(i * model.config.vocabSize, i * model.config.vocabSize + 8),
    ]);
    worst = Math.max(worst, worstOf(answer.values, same));
  }
  const beside =
    peer === null ? '– | –' : `${median(theirs).toFixed(0)} | ${(median(theirs) / median(ours)).toFixed(1)}×`;
  console.log(
    `  logits of 32 prompts, T = 16 | ${median(ours).toFixed(0)} | ${beside} | – | ${worst.toExponential(1)}`,
  );
}
