import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTokenizer } from '../../../src/main/models/index.ts';
import { spawnCompute } from '../../../src/main/runtime/client.ts';
import { localiseCopy, type CopyFindings } from '../../../src/main/services/copy-demo/localise.ts';
import { copySequences, LANGUAGE, trainCopyModel } from '../../../src/main/services/copy-demo/recipe.ts';
import { findingsLines, worstDisagreements } from '../../../src/main/services/copy-demo/report.ts';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
/** Written by `engram demo --copy` (docs/known-answer.md). */
const MODEL = path('../../reference/copy-model');
const compute = spawnCompute({ entry: path('../../../src/main/runtime/worker.ts'), threads: 1 });
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'engram-copy-'));
});
afterAll(() => {
  compute.dispose();
  rmSync(folder, { recursive: true, force: true });
});

async function findings(model: string, pairs: number): Promise<CopyFindings> {
  const tokenizer = await openTokenizer(model);
  if (tokenizer === null) throw new Error(`${model} has no tokenizer`);
  const context = { tokenizer, bos: null, vocabSize: tokenizer.vocabSize, nCtx: LANGUAGE.length };
  return localiseCopy(compute, { folder: model, tokenizer, context, seed: 42, pairs, verify: 4 });
}

const effect = ({ effects }: CopyFindings, hook: string, layer: number, head: number) => {
  const found = effects.find((e) => e.hook.endsWith(`hook_${hook}`) && e.layer === layer && e.head === head);
  if (found?.exact === null || found?.exact === undefined || found.estimated === null) {
    throw new Error(`no effect of ${hook} ${layer}.${head}`);
  }
  return { exact: found.exact, estimated: found.estimated };
};
const HEADS = [0, 1, 2, 3];

/** What must hold of a model that copies by a previous-token head, planted as 0.0, and heads that match with it. */
function expectKnownCircuit(found: CopyFindings): void {
  expect(found.accuracy).toBeGreaterThan(0.85);
  // Attention alone: 0.0 looks one token back, more than twice as much as any other head.
  const [planted, ...others] = found.scores;
  expect(planted).toMatchObject({ layer: 0, head: 0 });
  for (const other of others) expect(planted!.previousToken).toBeGreaterThan(2 * other.previousToken);
  // Exact patching: of all heads’ outputs its is the strongest, by its values and not by where it looks.
  const outputs = found.effects.filter((e) => e.hook.endsWith('hook_z'));
  const strongest = outputs.toSorted((a, b) => (b.exact ?? 0) - (a.exact ?? 0))[0];
  expect(strongest).toMatchObject({ layer: 0, head: 0 });
  expect(effect(found, 'v', 0, 0).exact).toBeGreaterThan(0.3);
  expect(Math.abs(effect(found, 'k', 0, 0).exact)).toBeLessThan(0.02);
  // The heads behind it are told by their keys alone: neither what they ask nor what they carry differs.
  for (const head of HEADS) {
    expect(effect(found, 'k', 1, head).exact).toBeGreaterThan(0.08);
    expect(Math.abs(effect(found, 'q', 1, head).exact)).toBeLessThan(0.05);
    expect(Math.abs(effect(found, 'v', 1, head).exact)).toBeLessThan(0.05);
  }
}

describe('a model that copies in context', () => {
  it('is localised by exact patching where its attention says the circuit is', async () => {
    expectKnownCircuit(await findings(MODEL, 32));
  });

  it('shows where attribution patching is wrong, and that verifying the strongest mends it', async () => {
    const found = await findings(MODEL, 32);
    // The softmax of the heads that match is saturated: the gradient sees about half of what moves them.
    const { exact, estimated } = effect(found, 'z', 0, 0);
    expect(estimated).toBeLessThan(0.7 * exact);
    expect(worstDisagreements(found.effects, 2).map(({ layer, head }) => [layer, head])).toEqual([
      [0, 0],
      [0, 0],
    ]);
    const verified = found.verified.find((v) => v.hook.endsWith('hook_z'));
    const site = verified?.sites.find(({ at }) => at[0] === 0 && at[1] === 0);
    expect(site?.estimated).toBeCloseTo(estimated, 6);
    expect(site?.exact).toBeCloseTo(exact, 6);
    expect(findingsLines(found).join('\n')).toContain('0.0');
  });

  it('reads sequences in which only what went before foretells what follows', async () => {
    const tokenizer = await openTokenizer(MODEL);
    const sequences = copySequences(tokenizer!, 50, 1);
    expect(sequences).toEqual(copySequences(tokenizer!, 50, 1));
    for (const ids of sequences) {
      expect(ids).toHaveLength(LANGUAGE.length);
      expect(new Set(ids).size).toBeLessThanOrEqual(LANGUAGE.longest);
    }
  });

  // Minutes: ENGRAM_LONG_TESTS=1 npx vitest run tests/integration/services/copy-demo.test.ts
  it.runIf(process.env['ENGRAM_LONG_TESTS'] === '1')(
    'comes out of the workbench’s own trainer with the same circuit',
    async () => {
      const { folder: trained } = await trainCopyModel(compute, folder, () => undefined);
      expectKnownCircuit(await findings(trained, 32));
    },
    900_000,
  );
});
