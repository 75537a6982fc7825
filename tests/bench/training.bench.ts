import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as rest } from 'node:timers/promises';
import { clipScale } from '../../src/main/engine/nn/adamw.ts';
import type { MemoryMode } from '../../src/main/engine/nn/trainingCost.ts';
import { freshWeights } from '../../src/main/models/create.ts';
import {
  openModelFolder,
  readTensor,
  saveModelFolder,
  type TokenBlock,
} from '../../src/main/models/index.ts';
import { peakRssBytes } from '../../src/main/runtime/memory.ts';
import { SessionFactory } from '../../src/main/runtime/sessions.ts';
import { lossRules, splitStep } from '../../src/main/runtime/training/batches.ts';
import { GradientRunner } from '../../src/main/runtime/training/gradients.ts';
import { AdamW, gradientNorm } from '../../src/main/runtime/training/optimizer.ts';
import { ParameterStore } from '../../src/main/runtime/training/parameters.ts';
import { TRAINING_PRESETS, type ModelConfig } from '../../src/shared/domain/index.ts';
import { idsFrom, median, Peer, THREADS } from './support.ts';

const COMMON = {
  family: 'gpt2',
  layerNormEps: 1e-5,
  activation: 'gelu_new',
  tiedEmbeddings: true,
  bosTokenId: null,
  eosTokenId: null,
} as const;

interface Setup {
  readonly name: string;
  readonly config: ModelConfig;
  /** Sequences of one step, all in one batch. */
  readonly batch: number;
  /** Tokens of the longest, and of the shortest sequences. */
  readonly length: number;
  readonly shortest: readonly number[];
  readonly steps: number;
}

/** Steps are few where they are long: both sides take part in every round. */
const SETUPS: readonly Setup[] = [
  {
    // The shape of the model that the bundled sample trains.
    name: '4 layers, width 128',
    config: { ...COMMON, nLayer: 4, nHead: 4, dModel: 128, dMlp: 512, nCtx: 128, vocabSize: 1500 },
    batch: 16,
    length: 128,
    shortest: [128, 32],
    steps: 20,
  },
  {
    name: '4 layers, width 256',
    config: { ...COMMON, nLayer: 4, nHead: 4, dModel: 256, dMlp: 1024, nCtx: 256, vocabSize: 4096 },
    batch: 8,
    length: 256,
    shortest: [256],
    steps: 10,
  },
  {
    name: 'GPT-2 124M',
    config: { ...COMMON, nLayer: 12, nHead: 12, dModel: 768, dMlp: 3072, nCtx: 1024, vocabSize: 50_257 },
    batch: 4,
    length: 512,
    shortest: [512],
    steps: 3,
  },
];
/** Before every turn: threads of either side go on spinning for a while, and would hold up the other's. */
const REST_MS = 30;
const OPTIMIZER = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
const RATE = 1e-3;
const DECAY = 0.01;
const CLIP = 1;
const RULES = lossRules(TRAINING_PRESETS.quick, null);

async function folderOf({ name, config }: Setup): Promise<string> {
  const folder = join(tmpdir(), 'engram-bench', `train-${name.replace(/\W+/g, '-')}`);
  if (!existsSync(join(folder, 'config.json')))
    await saveModelFolder(folder, config, freshWeights(config, 1), null);
  return folder;
}

/** Sequences of random ids, `shortest` to `length` tokens each, evenly spread. */
function sequences({ config, length }: Setup, count: number, shortest: number): TokenBlock {
  const next = idsFrom(11);
  return {
    ids: Int32Array.from({ length: count * length }, () => next() % config.vocabSize),
    lengths: Int32Array.from({ length: count }, (_, i) => shortest + ((i * 29) % (length - shortest + 1))),
    count,
    length,
  };
}

interface Trainer {
  /** Loss and gradient norm of a step. */
  readonly step: (rows: Int32Array, t: number) => Promise<number[]>;
  readonly close: () => Promise<void>;
}

/** One optimiser step at a time, as a training run does it: gradients, norm, clipping, AdamW. */
async function trainer(setup: Setup, folder: string, data: TokenBlock, mode: MemoryMode): Promise<Trainer> {
  const sessions = new SessionFactory({ threads: THREADS, provider: 'cpu' });
  const model = await openModelFolder(folder);
  const store = new ParameterStore([...model.tensors].map(([name, { shape }]) => ({ name, shape })));
  for (const [name, entry] of model.tensors) store.set(store.values, name, await readTensor(entry));
  const gradients = new GradientRunner(sessions, store, {
    config: setup.config,
    dropout: 0,
    seed: 0,
    memoryLimitBytes: 2 ** 36,
    mode,
  });
  const optimizer = await AdamW.open(sessions, OPTIMIZER);
  return {
    step: async (rows, t) => {
      const batches = splitStep(rows, { data, rules: RULES, maxRows: setup.batch });
      const loss = await gradients.run(batches, t, () => undefined);
      const norm = gradientNorm(store.gradients);
      const scale = clipScale(norm, CLIP);
      await optimizer.step(store, { t, learningRate: RATE, weightDecay: DECAY, scale });
      return [loss, norm];
    },
    close: async () => {
      await gradients.close();
      await optimizer.close();
    },
  };
}

async function compare(setup: Setup, shortest: number, mode: MemoryMode): Promise<void> {
  const { batch, length } = setup;
  const folder = await folderOf(setup);
  const steps = Number(process.env['ENGRAM_BENCH_STEPS'] ?? setup.steps);
  const data = sequences(setup, batch * (steps + 1), shortest);
  const { step, close } = await trainer(setup, folder, data, mode);
  const peer = await Peer.start('torch_training_peer.py', [folder, String(THREADS)]);
  const ours: number[] = [];
  const theirs: number[] = [];
  let [tokens, peerMb] = [0, Number.NaN];
  const apart = { first: 0, loss: 0, norm: 0 };
  for (let t = 1; t <= steps + 1; t++) {
    const rows = Int32Array.from({ length: batch }, (_, i) => (t - 1) * batch + i);
    await rest(REST_MS);
    const start = performance.now();
    const values = await step(rows, t);
    const warm = t > 1; // the first step compiles graphs
    if (warm) ours.push(performance.now() - start);
    if (warm) tokens += rows.reduce((sum, row) => sum + (data.lengths[row] ?? 0), 0);
    if (peer === null) continue;
    const [from, to] = [(t - 1) * batch, t * batch];
    await rest(REST_MS);
    const answer = await peer.ask({
      ids: Array.from(data.ids.subarray(from * length, to * length)),
      lengths: Array.from(data.lengths.subarray(from, to)),
      width: length,
      rate: RATE,
      decay: DECAY,
      clip: CLIP,
    });
    if (warm) theirs.push(answer.ms);
    peerMb = answer.rss_mb;
    const [loss = Number.NaN, norm = Number.NaN] = answer.values.map(
      (v, i) => Math.abs(v - (values[i] ?? Number.NaN)) / Math.abs(v),
    );
    // Before the first update both sides have the same weights; after it, rounding decides which way AdamW takes
    // parameters whose gradients are next to nothing.
    if (!warm) apart.first = Math.max(loss, norm);
    apart.loss = Math.max(apart.loss, loss);
    apart.norm = Math.max(apart.norm, norm);
  }
  peer?.stop();
  await close();
  const [a, b] = [median(ours), median(theirs)];
  const perSecond = (tokens * 1000) / ours.reduce((s, ms) => s + ms, 0);
  console.log(
    `  ${setup.name} | ${batch} × ${shortest}–${length} | ${mode} | ${a.toFixed(1)} | ${b.toFixed(1)} | ${(b / a).toFixed(2)} | ${perSecond.toFixed(0)} | ${(peakRssBytes() / 2 ** 20).toFixed(0)} | ${peerMb.toFixed(0)} | ${[apart.first, apart.loss, apart.norm].map((x) => x.toExponential(1)).join(', ')}`,
  );
}

/**
 * Fine-tuning steps against PyTorch and transformers: same weights, batches, threads; losses compared. Our peak
 * memory is that of this process so far, so that smaller models come first. ENGRAM_BENCH_MODELS (a part of a
 * name) and ENGRAM_BENCH_MODE (whole or layers) choose.
 */
export default async function bench(): Promise<void> {
  const wanted = process.env['ENGRAM_BENCH_MODELS'] ?? '';
  const mode: MemoryMode = process.env['ENGRAM_BENCH_MODE'] === 'layers' ? 'layers' : 'whole';
  console.log(
    '  model | sequences | mode | ours ms/step | peer ms/step | ratio | our tokens/s | our peak MB | peer’s | relative difference at the first step, and the worst of loss and norm',
  );
  for (const setup of SETUPS.filter(({ name }) => name.includes(wanted))) {
    for (const shortest of setup.shortest) await compare(setup, shortest, mode);
  }
}
