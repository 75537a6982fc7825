import { mkdir } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { costOf } from '../../src/main/engine/interp/cost.ts';
import { patch } from '../../src/main/engine/interp/patch.ts';
import { PatchSessions } from '../../src/main/engine/interp/sessions.ts';
import type { PatchTask } from '../../src/main/engine/interp/types.ts';
import { createModel, openModelFolder } from '../../src/main/models/index.ts';
import { ModelCompiler } from '../../src/main/runtime/compiler.ts';
import { LoadedModel } from '../../src/main/runtime/modelCache.ts';
import { patchSeconds } from '../../src/main/runtime/patchSeconds.ts';
import { SessionFactory } from '../../src/main/runtime/sessions.ts';
import { measureGemmSpeed } from '../../src/main/runtime/speed.ts';
import type { HookGrid } from '../../src/shared/domain/index.ts';
import { gpt2Shape, idsFrom, median, THREADS } from './support.ts';

const RESID: HookGrid = { hook: 'blocks.{layer}.hook_resid_pre', axes: 'layer_position' };
const HEADS: HookGrid = { hook: 'blocks.{layer}.attn.hook_z', axes: 'layer_head' };
const QUERIES: HookGrid = { hook: 'blocks.{layer}.attn.hook_q', axes: 'layer_head' };

interface Case {
  readonly name: string;
  readonly layers: number;
  readonly tokens: number;
  readonly pairs: number;
  readonly grid: HookGrid;
}

const CASES: readonly Case[] = [
  ...[16, 32, 64].map((tokens) => ({ name: `${tokens} tokens`, layers: 12, tokens, pairs: 1, grid: RESID })),
  ...[3, 6].map((layers) => ({ name: `${layers} layers`, layers, tokens: 32, pairs: 1, grid: RESID })),
  ...[2, 8].map((pairs) => ({ name: `${pairs} pairs`, layers: 12, tokens: 16, pairs, grid: RESID })),
  { name: 'heads (z), 4 pairs', layers: 12, tokens: 16, pairs: 4, grid: HEADS },
  { name: 'queries of heads, 1 pair', layers: 12, tokens: 16, pairs: 1, grid: QUERIES },
];

async function folderOf(layers: number): Promise<string> {
  if (layers === 12) return gpt2Shape();
  const folder = join(tmpdir(), 'engram-bench', `gpt2-${layers}-layers`);
  if (!existsSync(join(folder, 'model.safetensors'))) {
    await mkdir(folder, { recursive: true });
    const tokenizer = join(import.meta.dirname, '../../../shared/models/gpt2-tokenizer');
    await createModel({ nLayer: layers, nHead: 12, dModel: 768, nCtx: 1024, seed: 1 }, folder, tokenizer);
  }
  return folder;
}

/** How the cost of exact sweeps grows with tokens, layers and pairs, and how well plans foretell it. */
export default async function bench(): Promise<void> {
  const factory = new SessionFactory({ threads: THREADS, provider: 'cpu' });
  console.log(
    '  width 768, first difference 1 | patched runs | floor GFLOP | ms | planned ms | planned / measured | of the floor',
  );
  for (const layers of [12, 6, 3]) {
    const model = new LoadedModel(await openModelFolder(await folderOf(layers)), factory, 8 * 2 ** 30);
    const sessions = new PatchSessions(model.config, new ModelCompiler(model));
    await sessions.warm({ full: false, cross: false, rank: false });
    for (const one of CASES.filter((c) => c.layers === layers)) {
      const next = idsFrom(7);
      const task: PatchTask = {
        pairs: Array.from({ length: one.pairs }, (_, i) => {
          const clean = Array.from({ length: one.tokens }, next);
          const corrupted = clean.map((id, t) => (t === 1 ? (id + 1) % 50_000 : id));
          return { id: `p${i}`, clean, corrupted, answer: [11], wrong: [13], read: one.tokens - 1 };
        }),
        grids: [one.grid],
        direction: 'denoising',
        metrics: ['logit_diff'],
      };
      const cost = costOf(task, model.config);
      const times: number[] = [];
      const speeds: number[] = [];
      for (let round = 0; round < 3; round++) {
        speeds.push(await measureGemmSpeed(factory));
        const start = performance.now();
        let blocks = 0;
        for await (const block of patch(sessions, task)) blocks += block.raw.length;
        if (blocks > 0) times.push(performance.now() - start);
      }
      const speed = median(speeds);
      const planned = 1000 * patchSeconds(cost, model.config, model.weightBytes, speed);
      const ms = median(times);
      console.log(
        `  ${one.name} | ${cost.runs} | ${(cost.floorFlops / 1e9).toFixed(0)} | ${ms.toFixed(0)} | ${planned.toFixed(0)} | ` +
          `${(planned / ms).toFixed(2)} | ${((100_000 * cost.floorFlops) / speed / ms).toFixed(0)} %`,
      );
    }
    await model.close();
  }
}
