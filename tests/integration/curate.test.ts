import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { EngramEvents, EventName, RecordFilter } from '../../src/shared/contracts/index.ts';
import { contract } from '../../src/shared/contracts/index.ts';
import type { RecordId, SourceId } from '../../src/shared/domain/index.ts';
import { JOBS } from '../../src/main/jobs/registry.ts';
import type { ServiceContext } from '../../src/main/services/context.ts';
import { createCurateService } from '../../src/main/services/curate.ts';
import { createFileBroker } from '../../src/main/services/files/broker.ts';
import { createJobsService } from '../../src/main/services/jobs.ts';
import { createLibraryService } from '../../src/main/services/library.ts';
import { createStudySession } from '../../src/main/services/session.ts';
import { createStudiesService } from '../../src/main/services/studies.ts';
import { noCompute } from '../support/compute.ts';
import { addRecords, tempFolder } from '../support/store.ts';

function services() {
  const base = tempFolder();
  const changes: EngramEvents['changed']['what'][] = [];
  const emit: ServiceContext['emit'] = <K extends EventName>(event: K, payload: EngramEvents[K]) => {
    if (event === 'changed' && 'what' in payload) changes.push(payload.what);
  };
  const files = createFileBroker();
  const compute = noCompute();
  const dataFolder = join(base, 'data');
  const session = createStudySession({ dataFolder, registry: JOBS, compute, emit, files });
  onTestFinished(() => session.close());
  const context: ServiceContext = {
    session,
    files,
    compute,
    interactive: compute,
    emit,
    dataFolder,
    studiesFolder: join(base, 'studies'),
    resources: 'resources',
  };
  return {
    context,
    changes,
    studies: createStudiesService(context),
    library: createLibraryService(context),
    curate: createCurateService(context),
    jobs: createJobsService(context),
  };
}

const filter = (changes: Partial<RecordFilter> = {}): RecordFilter =>
  contract.curate.records.input.shape.filter.parse(changes);

describe('studies', () => {
  test('are created, listed as recent, opened again, and closed', async () => {
    const { studies, context } = services();
    expect(await studies.current({})).toEqual({ study: null, counts: null });
    const made = await studies.create({ name: 'Epilepsy: EEG?', parent: null });
    expect(made).toMatchObject({ name: 'Epilepsy: EEG?', synthetic: false });
    expect(made.place).toContain('Epilepsy EEG');
    const second = await studies.create({ name: 'Epilepsy: EEG?', parent: null });
    expect(second.place).not.toBe(made.place);
    expect((await studies.recent({})).map((s) => s.place)).toEqual([second.place, made.place]);
    const opened = await studies.open({ handle: made.handle });
    expect(opened.place).toBe(made.place);
    expect((await studies.current({})).counts).toEqual({
      records: 0,
      undecided: 0,
      datasets: 0,
      models: 0,
      pairs: 0,
      sweeps: 0,
      comparisons: 0,
    });
    await studies.close({});
    expect(() => context.session.require()).toThrow(expect.objectContaining({ code: 'STUDY_NOT_OPEN' }));
  });

  test('opening and closing at the same time take turns', async () => {
    const { studies, context } = services();
    const first = await studies.create({ name: 'A', parent: null });
    const second = await studies.create({ name: 'B', parent: null });
    const { handle } = first;
    await Promise.all([
      studies.close({}),
      studies.open({ handle }),
      studies.open(second),
      studies.open({ handle }),
    ]);
    expect(context.session.require().info.name).toBe('A');
    await Promise.all([studies.close({}), studies.close({})]);
    expect(context.session.current()).toBeNull();
  });

  test('one that cannot be opened leaves the open one open', async () => {
    const { studies, context } = services();
    await studies.create({ name: 'Good', parent: null });
    const { handle } = context.files.register(tempFolder());
    await expect(studies.open({ handle })).rejects.toMatchObject({ code: 'STUDY_NOT_FOUND' });
    expect((await studies.current({})).study?.name).toBe('Good');
  });
});

test('the sample study is ready when it is open, and says that it is synthetic', async () => {
  const { studies, library, curate, jobs } = services();
  const sample = await studies.openSample({});
  expect(sample.synthetic).toBe(true);
  const sources = await library.sources({});
  expect(sources.map((s) => [s.kind, s.status, s.read, s.added, s.duplicates, s.rejected])).toEqual([
    ['sample', 'complete', 353, 349, 3, 1],
    ['sample', 'complete', 38, 36, 1, 1],
  ]);
  expect((await curate.flow({})).excludedByReason).toEqual([{ reason: 'Retracted', count: 1 }]);
  expect((await studies.current({})).counts).toMatchObject({ records: 385, pairs: 42 });
  expect((await jobs.list({})).map((j) => j.status)).toEqual(['complete']);
  const file = await library.rejectsFile({ sourceId: sources[1]!.id as SourceId });
  expect(file).toMatchObject({ name: 'synthetic-abstracts.csv.rejected.csv', mime: 'text/csv' });
  expect((await studies.openSample({})).place).not.toBe(sample.place);
});

test('deciding, undoing and freezing through the services', async () => {
  const { studies, curate, changes, context } = services();
  await studies.create({ name: 'S', parent: null });
  addRecords(
    context.session.require().study,
    Array.from({ length: 12 }, (_, i) => ({
      title: `T${i}`,
      abstract: `EEG ${i}.`,
      ...(i === 0 ? { flags: ['preprint' as const] } : {}),
    })),
  );
  const page = await curate.records({ filter: filter(), offset: 0, limit: 500 });
  expect(page.rows).toHaveLength(12);
  expect(
    await curate.decide({ ids: [1, 2] as RecordId[], decision: 'exclude', reason: 'Off topic' }),
  ).toEqual({ changed: 2 });
  expect(await studies.history({})).toEqual({ undo: 'Exclude 2 records (Off topic)', redo: null });
  expect((await curate.flow({})).excludedByReason).toEqual([{ reason: 'Off topic', count: 2 }]);
  expect(await studies.undo({})).toEqual({ undone: 'Exclude 2 records (Off topic)' });
  expect((await curate.flow({})).excluded).toBe(0);
  expect(await studies.redo({})).toEqual({ redone: 'Exclude 2 records (Off topic)' });
  expect(changes).toContain('records');
  expect(changes).toContain('history');
  expect((await curate.setTerms({ terms: ['EEG'] })).map((t) => t.articles)).toEqual([12]);
  await curate.setNote({ id: 3 as RecordId, note: 'Check.' });
  expect((await curate.record({ id: 3 as RecordId })).note).toBe('Check.');

  const options = contract.curate.freeze.input.parse({ name: 'D' });
  const preview = await curate.freezePreview(options);
  expect(preview).toMatchObject({ nTrain: 8, nValidation: 2 });
  expect(preview.warnings).toHaveLength(2);
  const dataset = await curate.freeze(options);
  expect(contract.curate.freeze.output.parse(dataset)).toMatchObject({ nTrain: 8, nValidation: 2 });
  expect(await curate.datasets({})).toEqual([dataset]);
});

test('50,000 records: paging, search, facets and decisions give right answers', async () => {
  const { studies, curate, context } = services();
  await studies.create({ name: 'Large', parent: null });
  const N = 50_000;
  const types = ['Review', 'Cohort', 'Trial'];
  for (let start = 0; start < N; start += 5000) {
    addRecords(
      context.session.require().study,
      Array.from({ length: 5000 }, (_, k) => {
        const i = start + k;
        return {
          pmid: String(i + 1),
          title: `Record ${String(i).padStart(6, '0')}`,
          abstract: `Abstract ${i}${i % 5 === 0 ? ' about EEG' : ''}${i % 7 === 0 ? ' and interictal-epileptiform spikes' : ''}.`,
          year: 1975 + (i % 50),
          publicationTypes: [types[i % 3]!],
        };
      }),
    );
  }
  const every = (test: (i: number) => boolean) => Array.from({ length: N }, (_, i) => i).filter(test).length;
  const last = await curate.records({ filter: filter(), offset: N - 2, limit: 10 });
  expect(last).toMatchObject({ total: N, all: N });
  expect(last.rows.map((r) => r.title)).toEqual(['Record 049900', 'Record 049950']);
  const found = await curate.records({
    filter: filter({ query: 'interictal-epileptiform EEG' }),
    offset: 0,
    limit: 500,
  });
  expect(found.total).toBe(every((i) => i % 35 === 0));
  // Of the years 1975 + i % 50, a multiple of 35 gives 2020 at the latest.
  expect(found.rows[0]).toMatchObject({ year: 2020, mentions: [0, 1, 0] });
  const ids = found.rows.map((r) => r.id as RecordId);
  expect(await curate.decide({ ids, decision: 'include', reason: null })).toEqual({ changed: 500 });
  const facets = await curate.facets({ filter: filter({ terms: ['EEG'], publicationTypes: ['Trial'] }) });
  const trials = every((i) => i % 5 === 0 && i % 3 === 2);
  expect(facets.decisions.reduce((n, d) => n + d.count, 0)).toBe(trials);
  expect(facets.terms.find((t) => t.term === 'EEG')?.articles).toBe(trials);
  expect(facets.publicationTypes.reduce((n, p) => n + p.count, 0)).toBe(every((i) => i % 5 === 0));
  const dataset = await curate.freeze(contract.curate.freeze.input.parse({ name: 'D', query: 'EEG' }));
  expect(dataset.nTrain + dataset.nValidation).toBe(N / 5);
});
