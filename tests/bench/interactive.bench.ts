import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compose, type Core } from '../../src/main/hosts/compose.ts';
import { appPaths } from '../../src/main/hosts/paths.ts';
import { PairLine, type ModelId } from '../../src/shared/domain/index.ts';
import { gpt2Shape, median, THREADS } from './support.ts';

const ROUNDS = Number(process.env['ENGRAM_BENCH_ROUNDS'] ?? 5);
const CHECKS = 9;
const WORDS = ['focal', 'severe', 'rare', 'common', 'acute', 'treated', 'new', 'late', 'early'];

const pairOf = (clean: string, corrupted: string): PairLine =>
  PairLine.parse({
    id: 'p',
    clean: `Patients with ${clean} epilepsy often have seizures that begin in the temporal`,
    corrupted: `Patients with ${corrupted} epilepsy often have seizures that begin in the temporal`,
    answer: [' lobe'],
    wrong: [' cortex'],
  });

/** Keeps the process of the jobs at work, as a training or a sweep does, until told to stop. */
function keepBusy({ compute, context }: Core, modelId: ModelId): () => Promise<void> {
  const { study } = context.session.require();
  const [count, length] = [64, 64];
  const data = {
    ids: Int32Array.from({ length: count * length }, (_, i) => (i * 37) % 50_000),
    lengths: new Int32Array(count).fill(length),
    count,
    length,
  };
  const stop = new AbortController();
  const folder = study.artifacts.path(study.models.artifactOf(modelId));
  const work = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await compute.evaluate({ folder, data, batchSize: 8 }, { signal: stop.signal }).catch(() => undefined);
    }
  };
  const done = work();
  return async () => {
    stop.abort();
    await done;
  };
}

/**
 * The live check of a pair on GPT-2's 124M shape, asked over the contract as the page asks: from the call to
 * the answer with both logit differences and both lists of ten tokens. `first` begins with no process running:
 * it starts one, opens the folder, reads the tokenizer and compiles the model. `busy` asks while the process of
 * the jobs computes batches of 8 sequences of 64 tokens with as many threads.
 */
export default async function bench(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'engram-interactive-'));
  const study = join(folder, 'study');
  const host = () =>
    compose({
      paths: appPaths(),
      folders: { data: join(folder, 'data'), studies: folder },
      host: 'browser',
      threads: THREADS,
    });
  const firsts: number[] = [];
  const warm: number[] = [];
  const busy: number[] = [];
  const runs: number[] = [];
  let tokens = 0;
  try {
    const setup = host();
    await setup.context.session.create(study, 'Study');
    const { handle } = setup.files.register(await gpt2Shape());
    const { jobId } = await setup.client.models.importFolder({ handle, name: 'gpt2' });
    await setup.context.session.require().queue.wait(jobId);
    await setup.close();
    for (let round = 0; round < ROUNDS; round++) {
      const core = host();
      await core.context.session.open(study);
      const [model] = await core.client.models.list({});
      if (model === undefined) throw new Error('the study has no model');
      const ask = async (clean: string, corrupted: string): Promise<number> => {
        const start = performance.now();
        const answer = await core.client.pairs.check({ modelId: model.id, line: pairOf(clean, corrupted) });
        if (answer.run?.cleanTop.length !== 10) throw new Error('the pair was not run');
        tokens = answer.tokens.clean.length;
        runs.push(answer.run.milliseconds);
        return performance.now() - start;
      };
      firsts.push(await ask('focal', 'severe'));
      runs.length -= 1;
      for (let i = 0; i < CHECKS; i++) {
        warm.push(await ask(WORDS[i] ?? 'focal', WORDS[(i + 1) % CHECKS] ?? 'rare'));
      }
      const rest = keepBusy(core, model.id);
      await core.compute.info();
      for (let i = 0; i < CHECKS; i++) {
        busy.push(await ask(WORDS[i] ?? 'focal', WORDS[(i + 2) % CHECKS] ?? 'rare'));
        runs.length -= 1;
      }
      await rest();
      await core.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const line = (name: string, values: readonly number[], target: string): void => {
    console.log(
      `  ${name.padEnd(34)} ${median(values).toFixed(0).padStart(6)} ms  (${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)}, ${values.length} times)${target}`,
    );
  };
  console.log(`  GPT-2 124M shape, ${THREADS} threads, two prompts of ${tokens} tokens, medians`);
  line('first check, nothing loaded', firsts, '  target < 2000');
  line('check once loaded, end to end', warm, '  target < 300');
  line('  of it model and scores', runs, '');
  line('check while a job computes', busy, '');
}
