import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { spawnCompute } from '../../../src/main/runtime/client.ts';

const entry = fileURLToPath(new URL('../../../src/main/runtime/worker.ts', import.meta.url));
const reference = (name: string): string =>
  fileURLToPath(new URL(`../../reference/${name}`, import.meta.url));
const folder = reference('tiny-gpt2');

interface PatchReference {
  readonly logits:
    Record<string, { clean: number[]; corrupted: number[] }> | { clean: number[]; corrupted: number[] }[];
  readonly denoising: { pairs: { id: string; clean_ids: number[]; corrupted_ids: number[] }[] };
}

const compute = spawnCompute({ entry, threads: 1 });
afterAll(() => {
  compute.dispose();
});

describe('the compute process', () => {
  it('says what it is', async () => {
    const info = await compute.info();
    expect(info.engine).toMatch(/^engram \d+\.\d+\.\d+$/);
    expect(info.provider).toBe('cpu');
    expect(info.providers.map((p) => p.name)).toEqual(['cpu', 'cuda', 'dml', 'webgpu']);
    expect(info.providers[0]?.available).toBe(true);
    expect(info.notice).toBeNull();
    expect(info.peakRssBytes).toBeGreaterThan(2 ** 20);
  });

  it('agrees with a plain computation', async () => {
    const check = await compute.selfCheck();
    expect(check.message).toContain('agrees');
    expect(check.ok).toBe(true);
    expect(check.maxError).toBeGreaterThan(0);
    expect(check.gflops).toBeGreaterThan(0);
  });

  it('gives the logits of transformers', async () => {
    const { logits, denoising } = JSON.parse(
      readFileSync(reference('tiny-gpt2-patch.json'), 'utf8'),
    ) as PatchReference;
    const prompts = denoising.pairs.flatMap((p) => [p.clean_ids, p.corrupted_ids]);
    const expected = denoising.pairs.flatMap((p, i) => {
      const both = Array.isArray(logits) ? logits[i] : logits[p.id];
      return [both?.clean ?? [], both?.corrupted ?? []];
    });
    const loaded = await compute.load({ folder });
    const result = await compute.logits({ folder, prompts });
    expect(result.vocabSize).toBe(loaded.config.vocabSize);
    expected.forEach((row, i) => {
      expect(row.length).toBe(result.vocabSize);
      // tests/reference/README.md: logits reach 7.5; ten times the reference's own rounding.
      row.forEach((v, j) => expect(Math.abs(v - (result.logits[i]?.[j] ?? NaN))).toBeLessThan(5e-5));
    });
  });

  it('reads any position, and every one', async () => {
    const prompts = [
      [1, 2, 3, 4, 5],
      [9, 8, 7],
    ];
    const all = await compute.logits({ folder, prompts, positions: 'all' });
    const some = await compute.logits({ folder, prompts, positions: [[-1, 0], [1]] });
    const V = all.vocabSize;
    expect(all.logits.map((l) => l.length)).toEqual([5 * V, 3 * V]);
    const slice = (i: number, t: number): number[] => [
      ...(all.logits[i]?.subarray(t * V, (t + 1) * V) ?? []),
    ];
    const near = (a: ArrayLike<number>, b: number[]): void =>
      // The same sums in batches of another shape: rounding only.
      b.forEach((v, j) => expect(Math.abs(v - (a[j] ?? NaN))).toBeLessThan(2e-5));
    near(some.logits[0] ?? [], [...slice(0, 4), ...slice(0, 0)]);
    near(some.logits[1] ?? [], slice(1, 1));
  });

  it('continues greedily with the most likely token', async () => {
    const ids = [16, 123, 149];
    const { ids: made } = await compute.generate({ folder, ids, tokens: 3 });
    expect(made.length).toBe(3);
    for (let i = 0; i < made.length; i++) {
      const { logits } = await compute.logits({ folder, prompts: [[...ids, ...made.slice(0, i)]] });
      const row = logits[0] ?? new Float32Array();
      expect(made[i]).toBe(row.indexOf(Math.max(...row)));
    }
  });

  it('names what is wrong with a prompt or a folder', async () => {
    await expect(compute.logits({ folder, prompts: [[1], [211]] })).rejects.toMatchObject({
      kind: 'user',
      code: 'TOKEN_UNKNOWN',
      message: expect.stringContaining('Prompt 1') as string,
    });
    await expect(compute.logits({ folder, prompts: [[]] })).rejects.toMatchObject({ code: 'PROMPT_EMPTY' });
    await expect(compute.load({ folder: reference('nothing-here') })).rejects.toMatchObject({ kind: 'user' });
  });
});

describe('its life', () => {
  it('starts again after it was killed, and fails the calls it left', async () => {
    const mortal = spawnCompute({ entry, threads: 1 });
    await mortal.info();
    expect(mortal.running).toBe(true);
    const pending = mortal.selfCheck();
    mortal.kill();
    await expect(pending).rejects.toMatchObject({ kind: 'engine', code: 'COMPUTE_STOPPED' });
    expect(mortal.running).toBe(false);
    await expect(mortal.info()).resolves.toMatchObject({ provider: 'cpu' });
    mortal.dispose();
    await expect(mortal.info()).rejects.toMatchObject({ code: 'COMPUTE_CLOSED' });
  });

  it('reports a crash with what the process said', async () => {
    const broken = spawnCompute({ entry: `${entry}.missing`, threads: 1 });
    await expect(broken.info()).rejects.toMatchObject({ kind: 'engine', code: 'COMPUTE_CRASHED' });
    broken.dispose();
  });

  it('falls back to the CPU with a notice where a provider is missing', async () => {
    const wishful = spawnCompute({ entry, threads: 1, provider: 'dml' });
    await wishful.selfCheck();
    const info = await wishful.info();
    if (info.providers.find((p) => p.name === 'dml')?.available === true) expect(info.provider).toBe('dml');
    else expect(info).toMatchObject({ provider: 'cpu', notice: expect.stringContaining('dml') as string });
    wishful.dispose();
  });

  it('leaves no trace of usage reporting by the runtime', async () => {
    const home = await mkdtemp(join(tmpdir(), 'engram-home-'));
    // As on a user's machine: CI variables would silence the runtime by themselves, and so would a setting of ours.
    const { CI: _ci, ORT_DISABLE_TELEMETRY: _off, ...rest } = process.env;
    const env = { ...rest, HOME: home, TMPDIR: home };
    const factory = new URL('../../../src/main/runtime/sessions.ts', import.meta.url).href;
    const graph = new URL('../../../src/main/engine/graph/index.ts', import.meta.url).href;
    const code = `
      import { SessionFactory } from ${JSON.stringify(factory)};
      import { Graph } from ${JSON.stringify(graph)};
      const g = new Graph('t');
      g.output('o', g.op('Neg', [g.input('x', 'float32', [1])]));
      const session = await new SessionFactory({ threads: 1, provider: 'cpu' }).open(g);
      const { o } = await session.run({ x: { data: Float32Array.of(2), dims: [1] } });
      console.log(o.data[0]);`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code], {
      env,
    });
    expect(stdout.trim()).toBe('-2');
    // Otherwise: .cache/Microsoft/DeveloperTools/.onnxruntime/deviceid and more.
    expect(await readdir(home)).toEqual([]);
    await rm(home, { recursive: true });
  });

  it('does not keep its parent alive while it is idle', async () => {
    const client = new URL('../../../src/main/runtime/client.ts', import.meta.url).href;
    const code = `
      import { spawnCompute } from ${JSON.stringify(client)};
      const compute = spawnCompute({ entry: ${JSON.stringify(entry)}, threads: 1 });
      console.log((await compute.info()).provider);`;
    // Nothing disposes of it: a parent that was held would run into the test's time limit.
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code]);
    expect(stdout.trim()).toBe('cpu');
  });

  it('cancels before and between runs', async () => {
    const controller = new AbortController();
    controller.abort();
    const data = {
      ids: new Int32Array(4000 * 32),
      lengths: new Int32Array(4000).fill(32),
      count: 4000,
      length: 32,
    };
    const evaluate = (options: Parameters<typeof compute.evaluate>[1]): Promise<unknown> =>
      compute.evaluate({ folder, data, batchSize: 8 }, options);
    await expect(evaluate({ signal: controller.signal })).rejects.toMatchObject({ kind: 'cancelled' });
    const later = new AbortController();
    const seen: number[] = [];
    const stopped = evaluate({
      signal: later.signal,
      onEvent: ({ done }) => {
        seen.push(done);
        later.abort();
      },
    });
    await expect(stopped).rejects.toMatchObject({ kind: 'cancelled', code: 'CANCELLED' });
    expect(seen.length).toBeGreaterThan(0);
    expect(seen).not.toContain(4000);
  });
});
