import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FORMATS } from '../../../src/main/hosts/cli/formats.ts';
import { engram, ROOT } from './process.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'engram-run-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

it('goes on where it was killed when it is run again', async () => {
  const sample = (name: string): string => join(ROOT, 'resources/sample', name);
  const spec = join(folder, 'spec.json');
  // Enough epochs that even a fast machine is still training when it is killed.
  writeFileSync(
    spec,
    JSON.stringify({
      name: 'Killed',
      import: [sample('synthetic-abstracts.csv')],
      model: { create: { nLayer: 2, nHead: 2, dModel: 32, nCtx: 64, tokenizer: 'sample' } },
      train: { preset: 'quick', epochs: 80, patience: 0, batchSize: 4, sequenceLength: 32 },
      pairs: sample('pairs.jsonl'),
      sweep: { hooks: ['z'], directions: ['denoising'] },
    }),
  );
  const study = join(folder, 'study');
  const args = ['--data', join(folder, 'data'), 'run', spec, '--study', study, '--json'];
  const child = spawn(process.execPath, [`${ROOT}src/main/hosts/cli.ts`, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise((resolve) => child.on('close', resolve));
  // Killed as soon as it says that an epoch's steps are under way, without a chance to tidy up.
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (/Fine-tuning run 1: [1-9]\d* of/.test(text)) child.kill('SIGKILL');
  });
  await ended;
  expect(child.signalCode).toBe('SIGKILL');

  const again = await engram(...args);
  expect(again.err.split('\n').filter((line) => /^[A-Z_]+: /.test(line))).toEqual([]);
  expect(again.code).toBe(0);
  const result = FORMATS['run-result'].schema.parse(JSON.parse(again.out));
  expect(result.training).toMatchObject({ epochs: 80 });
  expect(result.sweeps).toHaveLength(2);
  const rows = (
    await engram('--data', join(folder, 'data'), 'export', study, '--what', 'training', '--format', 'jsonl')
  ).out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { run: string; series: string; step: number });
  const steps = rows.filter((row) => row.series === 'train').map((row) => row.step);
  expect(steps).toEqual(Array.from({ length: result.training?.steps ?? 0 }, (_, i) => i + 1));
});
