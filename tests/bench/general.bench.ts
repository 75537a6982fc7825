import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { trainTestSplit } from '../../src/main/engine/random/index.ts';
import { trainBpe, writeTokenizerFiles } from '../../src/main/models/bpe-train.ts';
import {
  buildBlock,
  createModel,
  openTokenizer,
  TOKENIZER_FILES,
  type TextTokenizer,
  type TokenBlock,
} from '../../src/main/models/index.ts';
import { spawnCompute } from '../../src/main/runtime/client.ts';
import { TRAINING_PRESETS, type TrainingConfig } from '../../src/shared/domain/index.ts';
import { Peer, THREADS } from './support.ts';

const root = join(import.meta.dirname, '../..');
const shared = join(root, '../shared/data');
const GENERAL = join(shared, 'general_5000.jsonl');
const EPILEPSY = join(shared, 'epilepsy_eeg_seizure.jsonl');

/** Sized so that either side takes about five minutes on two cores. */
const TEXTS = Number(process.env['ENGRAM_GENERAL_TEXTS'] ?? 5000);
const EPOCHS = Number(process.env['ENGRAM_GENERAL_EPOCHS'] ?? 2);
const VOCABULARY = 2048;
/** The vocabulary is learnt from these many texts: enough for its size. */
const VOCABULARY_TEXTS = 250;
const SIZES = { nLayer: 4, nHead: 6, dModel: 192, nCtx: 256, seed: 1 };
const MOST_APART = 0.02;

const CONFIG: TrainingConfig = {
  ...TRAINING_PRESETS.quick,
  preset: 'own',
  epochs: EPOCHS,
  patience: 0,
  learningRate: 1e-3,
  batchSize: 16,
  warmupSteps: 50,
  sequenceLength: SIZES.nCtx,
};

function abstracts(file: string, most: number): string[] {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean).slice(0, most);
  return lines.map((line) => {
    const record = JSON.parse(line) as { abstract?: unknown }; // the field is checked below
    return typeof record.abstract === 'string' ? record.abstract : '';
  });
}

interface Prepared {
  readonly folder: string;
  readonly tokenizer: TextTokenizer;
  readonly train: TokenBlock;
  readonly validation: TokenBlock;
}

/** Tokenizer, fresh model, and both parts of the general abstracts as sequences. */
async function prepare(work: string): Promise<Prepared> {
  const texts = abstracts(GENERAL, TEXTS);
  const words = join(work, 'tokenizer');
  await writeTokenizerFiles(words, trainBpe(texts.slice(0, VOCABULARY_TEXTS), VOCABULARY), SIZES.nCtx);
  const folder = join(work, 'fresh');
  await createModel(SIZES, folder, words);
  const tokenizer = await openTokenizer(folder);
  if (tokenizer === null) throw new Error('the model was created with a tokenizer');
  const ids = texts.map((text) => tokenizer.encode(text));
  const split = trainTestSplit(texts.length, 0.2, CONFIG.seed);
  const block = (part: ArrayLike<number>): TokenBlock =>
    buildBlock(
      Array.from(part, (i) => ids[i] ?? []),
      { sequenceLength: SIZES.nCtx, mode: CONFIG.longAbstracts, eosTokenId: tokenizer.eosTokenId },
    ).block;
  return { folder, tokenizer, train: block(split.train), validation: block(split.test) };
}

interface Side {
  readonly losses: number[];
  readonly seconds: number;
  readonly peakMb: number;
}

async function ours(
  work: string,
  { folder, tokenizer, train, validation }: Prepared,
): Promise<Side & { best: string }> {
  const entry = join(root, 'src/main/runtime/worker.ts');
  const compute = spawnCompute({ entry, threads: THREADS });
  const losses: number[] = [];
  const done = await compute.train(
    {
      folder,
      workFolder: join(work, 'run'),
      train,
      validation,
      config: CONFIG,
      eosTokenId: tokenizer.eosTokenId,
      resume: false,
      samplePrompt: null,
      sampleTokens: 0,
    },
    {
      onEvent: (event) => {
        if (event.type === 'epoch') losses.push(event.point.validationLoss);
      },
    },
  );
  compute.dispose();
  for (const file of TOKENIZER_FILES) {
    if (existsSync(join(folder, file))) cpSync(join(folder, file), join(done.bestFolder, file));
  }
  return { losses, seconds: done.seconds, peakMb: done.peakRssBytes / 2 ** 20, best: done.bestFolder };
}

async function theirs(work: string, { folder, train, validation }: Prepared): Promise<Side | null> {
  const peer = await Peer.start('torch_run_peer.py', [folder, String(THREADS)]);
  if (peer === null) return null;
  const data = join(work, 'data.bin');
  const arrays = [train.ids, train.lengths, validation.ids, validation.lengths];
  writeFileSync(data, Buffer.concat(arrays.map((a) => Buffer.from(a.buffer, a.byteOffset, a.byteLength))));
  const answer = await peer.ask({
    data,
    length: train.length,
    train: train.count,
    validation: validation.count,
    epochs: CONFIG.epochs,
    batch: CONFIG.batchSize,
    rate: CONFIG.learningRate,
    decay: CONFIG.weightDecay,
    warmup: CONFIG.warmupSteps,
    clip: CONFIG.clip,
    seed: CONFIG.seed,
  });
  peer.stop();
  return { losses: answer.values, seconds: answer.ms / 1000, peakMb: answer.rss_mb };
}

/** The epilepsy abstracts through the main job: import, split, fine-tuning, evaluation of both models, report. */
function specialise(work: string, folder: string): { before: number; after: number; report: string } {
  const spec = join(work, 'epilepsy.json');
  const train = {
    preset: 'quick',
    name: 'general-epilepsy',
    epochs: 4,
    learningRate: 3e-4,
    warmupSteps: 10,
    sequenceLength: SIZES.nCtx,
  };
  const model = { folder, name: 'general' };
  writeFileSync(spec, JSON.stringify({ name: 'Epilepsy', import: [EPILEPSY], model, train }));
  const cli = [join(root, 'src/main/hosts/cli.ts'), 'run', spec, '--json', '--threads', String(THREADS)];
  const output = execFileSync(process.execPath, cli, { encoding: 'utf8', maxBuffer: 2 ** 26 });
  // The format is `run-result`, checked by the command itself.
  const result = JSON.parse(output) as {
    report: string;
    training: { perplexity_before: number; perplexity_after: number };
  };
  const { perplexity_before: before, perplexity_after: after } = result.training;
  return { before, after, report: result.report };
}

/**
 * A small GPT-2 trained from scratch on general medical abstracts, beside the same run in PyTorch; then
 * fine-tuned on epilepsy abstracts, its perplexity on held-out ones before and after.
 */
export default async function bench(): Promise<void> {
  if (!existsSync(GENERAL)) {
    console.log(`  (nothing measured: ${GENERAL} is not there)`);
    return;
  }
  const work = await mkdtemp(join(tmpdir(), 'engram-general-'));
  try {
    const data = await prepare(work);
    const tokens = data.train.lengths.reduce((sum, n) => sum + n, 0);
    console.log(
      `  ${SIZES.nLayer} layers, width ${SIZES.dModel}, vocabulary ${data.tokenizer.vocabSize}; ${data.train.count} sequences, ${tokens} tokens an epoch, ${CONFIG.epochs} epochs`,
    );
    const a = await ours(work, data);
    const b = await theirs(work, data);
    console.log('  epoch | our validation loss | peer’s | apart');
    a.losses.forEach((loss, epoch) => {
      const other = b?.losses[epoch] ?? Number.NaN;
      const apart = Math.abs(loss - other) / other;
      console.log(
        `  ${epoch + 1} | ${loss.toFixed(4)} | ${other.toFixed(4)} | ${(100 * apart).toFixed(2)} %`,
      );
      if (apart > MOST_APART) throw new Error(`epoch ${epoch + 1}: more than 2 % apart`);
    });
    const speed = (side: Side): string =>
      `${side.seconds.toFixed(0)} s, ${((tokens * CONFIG.epochs) / side.seconds).toFixed(0)} tokens/s, peak ${side.peakMb.toFixed(0)} MB`;
    console.log(
      `  ours: ${speed(a)}${b === null ? '' : `; peer: ${speed(b)}; ratio ${(b.seconds / a.seconds).toFixed(2)}`}`,
    );
    const { before, after, report } = specialise(work, a.best);
    const shown = readFileSync(report, 'utf8');
    const inReport = [before, after].every((value) => shown.includes(value.toFixed(3)));
    console.log(
      `  held-out epilepsy abstracts, perplexity: ${before.toFixed(2)} before, ${after.toFixed(2)} after; ${inReport ? 'both stand in the report' : 'NOT both in the report'}`,
    );
    if (!(after < before)) throw new Error('the perplexity has not fallen');
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
