import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compose, type Core } from '../../../src/main/hosts/compose.ts';
import { appPaths } from '../../../src/main/hosts/paths.ts';
import { PairLine, TaskSpec, type Model } from '../../../src/shared/domain/index.ts';

let folder: string;
let core: Core;
let model: Model;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'engram-generate-'));
  core = compose({
    paths: appPaths(),
    folders: { data: join(folder, 'data'), studies: folder },
    host: 'browser',
    threads: 1,
  });
  await core.context.session.create(join(folder, 'study'), 'Study');
  model = await core.client.models.create({
    name: 'small',
    nLayer: 1,
    nHead: 2,
    dModel: 16,
    nCtx: 64,
    tokenizer: 'sample',
    seed: 1,
  });
}, 120_000);

afterAll(async () => {
  await core.close();
  rmSync(folder, { recursive: true, force: true });
});

const spec = TaskSpec.parse({
  task: 'template',
  count: 20,
  template: 'Patients with {subject} in {place} had',
  subjects: ['seizures', 'epilepsy', 'spikes', 'sleep', 'children'].map((term, i) => ({
    term,
    answer: ['spikes', 'sleep', 'seizures', 'epilepsy', 'adults'][i],
  })),
  slots: { place: ['patients', 'children', 'the study'] },
  longAnswers: 'first',
});
const request = () => ({ modelId: model.id, spec, keep: 'all' as const, setId: null, name: null });

describe('pairs of a task', () => {
  it('are shown before anything is written', async () => {
    const preview = await core.client.pairs.generate(request());
    expect(preview.set).toBeNull();
    expect(preview.drawn).toBe(20);
    expect(preview.lines).toHaveLength(12);
    expect(preview.judged).toBeNull();
    expect(await core.client.pairs.sets({})).toEqual([]);
  });

  it('make a new set, then join it under ids of their own, each one undoable edit', async () => {
    const { set, lines } = await core.client.pairs.generate({ ...request(), name: 'Drawn' });
    expect(set).toMatchObject({ name: 'Drawn', count: 20, version: 1 });
    const stored = await core.client.pairs.list({ setId: set!.id });
    expect(stored.map((pair) => pair.line)).toEqual(lines);
    const more = await core.client.pairs.generate({ ...request(), setId: set!.id });
    expect(more.set?.count).toBe(40);
    const both = await core.client.pairs.list({ setId: set!.id });
    expect(new Set(both.map((pair) => pair.line.id)).size).toBe(40);
    expect(both.map((pair) => pair.ordinal)).toEqual(Array.from({ length: 40 }, (_, i) => i));
    await core.client.studies.undo({});
    expect(await core.client.pairs.list({ setId: set!.id })).toHaveLength(20);
    await core.client.studies.undo({});
    expect(await core.client.pairs.sets({})).toEqual([]);
  });

  it('stay only where the model gives the right answer, which the set’s own check confirms', async () => {
    const kept = await core.client.pairs.generate({ ...request(), keep: 'prefers-right', name: 'Kept' });
    expect(kept.judged?.kept).toBe(kept.drawn);
    expect(kept.drawn).toBeGreaterThan(0);
    const rejected = kept.dropped.find((drop) => drop.reason.includes('prefers the wrong'));
    expect(kept.judged!.read - kept.judged!.kept).toBe(rejected?.count ?? 0);
    expect(rejected?.count).toBeGreaterThan(0);
    const checks = await core.client.pairs.checkSet({ setId: kept.set!.id, modelId: model.id });
    expect(checks.every((check) => check.cleanLogitDiff !== null && check.cleanLogitDiff > 0)).toBe(true);
    // Fresh weights: the likeliest of 1,000s of tokens is hardly ever the answer.
    const top = await core.client.pairs.generate({
      ...request(),
      spec: { ...spec, count: 2 },
      keep: 'top-1',
      name: 'Top',
    });
    expect(top.drawn).toBe(0);
    expect(top.set).toBeNull();
    expect(top.shortage).not.toBeNull();
  });

  it('are copied as one edit', async () => {
    const { set } = await core.client.pairs.generate({ ...request(), name: 'Original' });
    const copy = await core.client.pairs.copySet({ setId: set!.id, name: 'Copy' });
    expect(copy).toMatchObject({ name: 'Copy', count: 20, frozen: false });
    await core.client.studies.undo({});
    expect((await core.client.pairs.sets({})).map(({ name }) => name)).not.toContain('Copy');
  });

  it('leave a set of 1,000 editable: one changed pair is one pair for the model', async () => {
    const { session } = core.context;
    const lines = Array.from({ length: 1000 }, (_, i) =>
      PairLine.parse({
        id: `p${i}`,
        clean: `Patients with focal epilepsy ${i % 10}${i % 7}`,
        corrupted: `Patients with focal seizures ${i % 10}${i % 7}`,
        answer: [' have'],
        wrong: [' had'],
      }),
    );
    const set = session.require().study.pairs.createSet('Thousand', lines);
    const first = await core.client.pairs.checkSet({ setId: set.id, modelId: model.id });
    expect(first).toHaveLength(1000);
    const [pair] = await core.client.pairs.list({ setId: set.id });
    await core.client.pairs.save({ setId: set.id, id: pair!.id, line: { ...pair!.line, wrong: [' were'] } });
    const second = await core.client.pairs.checkSet({ setId: set.id, modelId: model.id });
    expect(second.slice(1)).toEqual(first.slice(1));
    expect(second[0]?.cleanLogitDiff).not.toBe(first[0]?.cleanLogitDiff);
    await expect(core.client.pairs.save({ setId: set.id, id: null, line: pair!.line })).rejects.toMatchObject(
      { code: 'PAIR_ID_TAKEN' },
    );
  }, 60_000);
});

describe('replacements of the right length', () => {
  it('come from the study’s own words and make both prompts equally long', async () => {
    const line = PairLine.parse({
      id: 'unequal',
      clean: 'Patients with focal epilepsy had',
      corrupted: 'Patients with generalized cognitive dysfunction had',
      answer: [' seizures'],
      wrong: [' spikes'],
    });
    core.context.session.require().study.pairs.createSet('Answers', [line]);
    const found = await core.client.pairs.suggest({ modelId: model.id, line });
    expect(found.length).toBeGreaterThan(0);
    for (const match of found) {
      expect(match.corrupted).toBe(`Patients with ${match.text} had`);
      const { tokens, flags } = await core.client.pairs.tokens({
        modelId: model.id,
        line: { ...line, corrupted: match.corrupted },
      });
      expect(tokens.corrupted).toHaveLength(tokens.clean.length);
      expect(flags.map((flag) => flag.code)).not.toContain('unequal-length');
    }
    const equal = { ...line, corrupted: line.clean };
    expect(await core.client.pairs.suggest({ modelId: model.id, line: equal })).toEqual([]);
  });
});

describe('the report', () => {
  it('shows its warnings even when its section was taken out', async () => {
    const report = await core.client.report.get({});
    const without = { ...report, sections: report.sections.filter(({ kind }) => kind !== 'warnings') };
    const saved = await core.client.report.save(without);
    expect(saved.sections[0]?.kind).toBe('warnings');
    expect((await core.client.report.preview({})).html).toContain('Before you read');
  });
});
