import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clipScale } from '../../src/main/engine/nn/adamw.ts';
import { freshWeights } from '../../src/main/models/create.ts';
import {
  openModelFolder,
  readTensor,
  saveModelFolder,
  type TokenBlock,
} from '../../src/main/models/index.ts';
import { SessionFactory } from '../../src/main/runtime/sessions.ts';
import { lossRules, splitStep } from '../../src/main/runtime/training/batches.ts';
import { GradientRunner } from '../../src/main/runtime/training/gradients.ts';
import { AdamW, gradientNorm } from '../../src/main/runtime/training/optimizer.ts';
import { ParameterStore } from '../../src/main/runtime/training/parameters.ts';
import { TRAINING_PRESETS, type ModelConfig } from '../../src/shared/domain/index.ts';
import { idsFrom, median, Peer, THREADS } from './support.ts';

/** The shape of the model that the bundled sample trains. */
const CONFIG: ModelConfig = {
  family: 'gpt2',
  nLayer: 4,
  nHead: 4,
  dModel: 128,
  dMlp: 512,
  nCtx: 128,
  vocabSize: 1500,
  layerNormEps: 1e-5,
  activation: 'gelu_new',
  tiedEmbeddings: true,
  bosTokenId: null,
  eosTokenId: null,
};
const BATCH = 16;
const OPTIMIZER = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
const RATE = 1e-3;
const DECAY = 0.01;
const CLIP = 1;
const RULES = lossRules(TRAINING_PRESETS.quick, null);

async function folderOf(): Promise<string> {
  const folder = join(tmpdir(), 'engram-bench', 'gpt2-sample');
  if (!existsSync(join(folder, 'config.json')))
    await saveModelFolder(folder, CONFIG, freshWeights(CONFIG, 1), null);
  return folder;
}

/** Sequences of random ids; `shortest` to 128 tokens each, evenly spread. */
function sequences(count: number, shortest: number): TokenBlock {
  const next = idsFrom(11);
  const length = CONFIG.nCtx;
  return {
    ids: Int32Array.from({ length: count * length }, () => next() % CONFIG.vocabSize),
    lengths: Int32Array.from({ length: count }, (_, i) => shortest + ((i * 29) % (length - shortest + 1))),
    count,
    length,
  };
}

/** One optimiser step at a time, as a training run does it: gradients, norm, clipping, AdamW. */
async function trainer(
  folder: string,
  data: TokenBlock,
): Promise<(rows: Int32Array, t: number) => Promise<number[]>> {
  const sessions = new SessionFactory({ threads: THREADS, provider: 'cpu' });
  const model = await openModelFolder(folder);
  const store = new ParameterStore([...model.tensors].map(([name, { shape }]) => ({ name, shape })));
  for (const [name, entry] of model.tensors) store.set(store.values, name, await readTensor(entry));
  const gradients = new GradientRunner(sessions, store, {
    config: CONFIG,
    dropout: 0,
    seed: 0,
    memoryLimitBytes: 2 ** 32,
  });
  const optimizer = await AdamW.open(sessions, OPTIMIZER);
  return async (rows, t) => {
    const batches = splitStep(rows, { data, rules: RULES, maxRows: BATCH });
    const loss = await gradients.run(batches, t, () => undefined);
    const norm = gradientNorm(store.gradients);
    const scale = clipScale(norm, CLIP);
    await optimizer.step(store, { t, learningRate: RATE, weightDecay: DECAY, scale });
    return [loss, norm];
  };
}

/** Fine-tuning steps against PyTorch and transformers: same weights, batches, threads; losses compared. */
export default async function bench(): Promise<void> {
  const folder = await folderOf();
  const steps = Number(process.env['ENGRAM_BENCH_STEPS'] ?? 20);
  console.log(
    '  sequences | ours ms/step | peer ms/step | ratio | our tokens/s | worst difference of loss, norm',
  );
  for (const shortest of [CONFIG.nCtx, CONFIG.nCtx / 4]) {
    const data = sequences(BATCH * (steps + 1), shortest);
    const step = await trainer(folder, data);
    const peer = await Peer.start('torch_training_peer.py', [folder, String(THREADS)]);
    const ours: number[] = [];
    const theirs: number[] = [];
    let tokens = 0;
    let worst = 0;
    for (let t = 1; t <= steps + 1; t++) {
      const rows = Int32Array.from({ length: BATCH }, (_, i) => (t - 1) * BATCH + i);
      const start = performance.now();
      const values = await step(rows, t);
      const warm = t > 1; // the first step compiles graphs
      if (warm) ours.push(performance.now() - start);
      if (warm) tokens += rows.reduce((sum, row) => sum + (data.lengths[row] ?? 0), 0);
      if (peer === null) continue;
      const [from, to] = [(t - 1) * BATCH, t * BATCH];
      const answer = await peer.ask({
        ids: Array.from(data.ids.subarray(from * data.length, to * data.length)),
        lengths: Array.from(data.lengths.subarray(from, to)),
        width: data.length,
        rate: RATE,
        decay: DECAY,
        clip: CLIP,
      });
      if (warm) theirs.push(answer.ms);
      worst = answer.values.reduce((w, v, i) => Math.max(w, Math.abs(v - (values[i] ?? Number.NaN))), worst);
    }
    peer?.stop();
    const [a, b] = [median(ours), median(theirs)];
    const perSecond = (tokens * 1000) / ours.reduce((s, ms) => s + ms, 0);
    console.log(
      `  ${BATCH} × ${shortest}–${data.length} | ${a.toFixed(1)} | ${b.toFixed(1)} | ${(b / a).toFixed(2)} | ${perSecond.toFixed(0)} | ${worst.toExponential(1)}`,
    );
  }
}
