import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { folderFamily } from '../../../src/main/models/families/index.ts';
import { openModelFolder, readTensor } from '../../../src/main/models/index.ts';
import { SessionFactory } from '../../../src/main/runtime/sessions.ts';
import { lossRules, splitStep } from '../../../src/main/runtime/training/batches.ts';
import { GradientRunner } from '../../../src/main/runtime/training/gradients.ts';
import { ParameterStore } from '../../../src/main/runtime/training/parameters.ts';
import { TRAINING_PRESETS } from '../../../src/shared/domain/index.ts';

const reference = (name: string): string =>
  fileURLToPath(new URL(`../../reference/${name}`, import.meta.url));

interface Reference {
  readonly gradients: Readonly<
    Record<
      string,
      {
        readonly ids: readonly (readonly number[])[];
        readonly loss: number;
        /** Norm, and Σ gradientᵢ·cos i. */
        readonly parameters: Readonly<Record<string, readonly [norm: number, projection: number]>>;
      }
    >
  >;
}
const { gradients } = JSON.parse(readFileSync(reference('families.json'), 'utf8')) as Reference;
const sessions = new SessionFactory({ threads: 1, provider: 'cpu' });

/** tests/reference/README.md: 3e-5 of a tensor's largest gradient; norms and projections add up many. */
const TOLERANCE = 1e-4;

describe.each(Object.entries(gradients))('%s', (name, { ids, loss, parameters }) => {
  it.each(['whole', 'layers'] as const)('has the gradients of PyTorch, computed %s', async (mode) => {
    const model = await openModelFolder(reference(name));
    const store = new ParameterStore(
      [...model.tensors].map(([weight, { shape }]) => ({ name: weight, shape })),
    );
    for (const [weight, entry] of model.tensors) store.set(store.values, weight, await readTensor(entry));
    const length = ids[0]?.length ?? 0;
    const data = {
      ids: Int32Array.from(ids.flat()),
      lengths: Int32Array.from(ids, (row) => row.length),
      count: ids.length,
      length,
    };
    const rules = { ...lossRules(TRAINING_PRESETS.quick, null), batchSize: ids.length };
    const runner = new GradientRunner(sessions, store, {
      config: model.config,
      dropout: 0,
      seed: 0,
      memoryLimitBytes: 2 ** 30,
      mode,
    });
    const batches = splitStep(
      Int32Array.from(ids, (_, i) => i),
      { data, rules, maxRows: ids.length },
    );
    const got = await runner.run(batches, 0, () => undefined);
    await runner.close();
    expect(Math.abs(got - loss)).toBeLessThan(2e-5);
    const family = folderFamily(model.config);
    const wanted = new Map(
      Object.entries(parameters).map(([key, value]) => [family.canonicalName(key), value]),
    );
    expect([...wanted.keys()].sort()).toEqual([...model.tensors.keys()].sort());
    for (const [weight, [norm, projection]] of wanted) {
      const gradient = store.view(store.gradients, weight);
      expect(Math.abs(Math.hypot(...gradient) - norm) / norm, weight).toBeLessThan(TOLERANCE);
      const sum = gradient.reduce((total, v, i) => total + v * Math.cos(i), 0);
      expect(Math.abs(sum - projection) / norm, weight).toBeLessThan(TOLERANCE);
    }
  });
});
