import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { type ModelId, PairLine, type SweepHookGrid } from '../../src/shared/domain/index.ts';
import { createStudy, type Study } from '../../src/main/store/index.ts';
import { Workbench } from '../e2e/workbench.ts';
import { median } from './support.ts';

/**
 * How smoothly large heatmaps move: a stored sweep of 100,032 effects in one grid (96 layers × 1,042 positions,
 * one pair), and beside it the small grid of an everyday sweep (12 layers × 18 positions), drawn by the real
 * page in a browser without a graphics card. Frames are counted by the page itself while the pointer moves.
 */
const LARGE = { layers: 96, positions: 1_042, hook: 'blocks.{layer}.hook_resid_pre' } as const;
const SMALL = { layers: 12, positions: 18, hook: 'blocks.{layer}.hook_attn_out' } as const;
const SECONDS = 4;
/** Between the first picture and the counting. */
const SETTLE_MS = 1_000;
/** What a display of 60 pictures a second allows. */
const BUDGET_MS = 1000 / 60;

/** Named by the sweeps, never run: results stand for themselves. */
function makeModel(study: Study): ModelId {
  return study.artifacts.putBytes(new Uint8Array(8), 'model.safetensors', ({ hash }) =>
    study.models.insert({
      name: 'not run',
      origin: 'created',
      parentId: null,
      trainingRunId: null,
      config: {
        family: 'gpt2',
        nLayer: LARGE.layers,
        nHead: 2,
        dModel: 16,
        dMlp: 64,
        nCtx: LARGE.positions,
        vocabSize: 100,
        layerNormEps: 1e-5,
        activation: 'gelu_new',
        tiedEmbeddings: true,
        bosTokenId: null,
        eosTokenId: null,
      },
      parameters: 1000,
      bytes: 8,
      tokenizer: 'none',
      weightsHash: 'a'.repeat(64),
      evaluation: null,
      artifactHash: hash,
    }),
  ).id;
}

function makeStudy(folder: string): void {
  const study = createStudy(folder, 'Frames', { synthetic: true });
  const modelId = makeModel(study);
  const pairSetId = study.pairs.createSet('Long', [
    PairLine.parse({ id: 'long', clean: 'A', corrupted: 'B', answer: ['C'], wrong: ['D'] }),
  ]).id;
  for (const { layers, positions, hook } of [SMALL, LARGE]) {
    const grid: SweepHookGrid = { hook, axes: 'layer_position' };
    const ids = Array.from({ length: positions }, (_, i) => i);
    const { id } = study.sweeps.insert({
      name: `${layers} × ${positions}`,
      spec: {
        modelId,
        pairSetId,
        grids: [grid],
        direction: 'denoising',
        method: 'exact',
        corruption: 'str',
        metrics: ['logit_diff'],
        epsilon: 1e-6,
        bos: 'auto',
        seed: 42,
      },
      plan: null,
      warnings: [],
      inputs: [
        {
          id: 'long',
          item: 'long',
          type: null,
          clean: ids,
          corrupted: ids.map((i) => (i === 20 ? 7 : i)),
          answer: [1],
          wrong: [2],
          read: positions - 1,
          labels: ids.map((i) => ` t${i}`),
        },
      ],
    });
    const at = (index: number) => Math.sin(index / 97) * Math.cos(index / 1013);
    study.blocks.store(id, {
      grid: 0,
      pair: 0,
      shape: [layers, positions],
      raw: [Float64Array.from({ length: layers * positions }, (_, i) => 2 * at(i))],
      clean: [2],
      corrupted: [-2],
      zero: Uint8Array.from({ length: layers * positions }, (_, i) => (i % positions < 20 ? 1 : 0)),
      trivial: new Uint8Array(layers * positions),
    });
    study.sweeps.update(id, { status: 'complete', finishedAt: new Date().toISOString() });
  }
  study.close();
}

/** Times between the page's pictures while `act` runs. */
async function frames(page: Page, act: () => Promise<void>): Promise<number[]> {
  await page.evaluate(() => {
    const times: number[] = [];
    let going = true;
    const next = (now: number) => {
      times.push(now);
      if (going) requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
    // Kept where the second call finds it.
    Object.assign(window, {
      endOfFrames: () => {
        going = false;
        return times;
      },
    });
  });
  await act();
  const times = await page.evaluate(() => {
    const { endOfFrames } = window as unknown as { endOfFrames: () => number[] }; // put there above
    return endOfFrames();
  });
  return times.slice(1).map((time, i) => time - (times[i] ?? time));
}

function report(what: string, gaps: readonly number[]): void {
  const sorted = [...gaps].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  const late = gaps.filter((gap) => gap > BUDGET_MS * 1.5).length;
  const total = gaps.reduce((a, b) => a + b, 0);
  console.log(
    `  ${what.padEnd(34)} ${((1000 * gaps.length) / total).toFixed(1)} frames/s, median ${median(gaps).toFixed(1)} ms,` +
      ` 99 % ${at(0.99).toFixed(1)} ms, ${late} of ${gaps.length} late`,
  );
}

export default async function heatmap(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'engram-frames-'));
  makeStudy(join(folder, 'study'));
  const workbench = await Workbench.start(join(folder, 'study'));
  try {
    const { page } = workbench;
    await page
      .getByRole('navigation')
      .getByRole('link', { name: /^Sweeps/ })
      .waitFor();
    for (const [i, { layers, positions }] of [SMALL, LARGE].entries()) {
      const started = performance.now();
      await page.evaluate((n) => (window.location.hash = `#/sweeps/${n}`), i + 1);
      const grid = page.locator(`[role=grid][aria-colcount="${positions}"]`);
      await grid.waitFor();
      await grid.locator('canvas').first().waitFor();
      console.log(`  ${layers} × ${positions}: shown after ${(performance.now() - started).toFixed(0)} ms`);
      await page.waitForLoadState('networkidle');
      await page.waitForTimeout(SETTLE_MS);
      const box = await grid.boundingBox();
      if (box === null) throw new Error('the heatmap has no place');
      const within = (share: number, down: number) =>
        [box.x + 50 + share * (box.width - 80), box.y + 10 + down * (box.height - 80)] as const;
      const sweepPointer = async () => {
        const end = performance.now() + SECONDS * 1000;
        for (let i = 0; performance.now() < end; i++) {
          await page.mouse.move(...within((i % 90) / 90, ((i * 7) % 60) / 60));
        }
      };
      report('pointer over it', await frames(page, sweepPointer));
      report(
        'wheel over it',
        await frames(page, async () => {
          await page.mouse.move(...within(0.5, 0.5));
          const end = performance.now() + SECONDS * 1000;
          for (let i = 0; performance.now() < end; i++) await page.mouse.wheel(i % 120 < 60 ? 24 : -24, 0);
        }),
      );
      report(
        'dragging it',
        await frames(page, async () => {
          await page.mouse.move(...within(0.9, 0.5));
          await page.mouse.down();
          await sweepPointer();
          await page.mouse.up();
        }),
      );
      await workbench.shot(`heatmap-${positions}`);
    }
    if (workbench.complaints.length > 0) console.log(`  complaints: ${workbench.complaints.join('; ')}`);
  } finally {
    await workbench.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
