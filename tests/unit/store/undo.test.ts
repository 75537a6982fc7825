import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { RecordFilter } from '../../../src/shared/contracts/index.ts';
import type { PairLine, RecordId, Report } from '../../../src/shared/domain/index.ts';
import { atOnce, type Study, createStudy, openStudy } from '../../../src/main/store/index.ts';
import { addRecords, tempFolder, tempStudy } from '../../support/store.ts';

const line = (id: string): PairLine => ({
  id,
  clean: 'The capital is',
  corrupted: 'The river is',
  answer: [' Rome'],
  wrong: [' Tiber'],
  answer_mode: 'bag',
  read: 'last',
});

const everything = (study: Study) => ({
  records: study.curation
    .page(
      {
        query: '',
        decisions: [],
        yearFrom: null,
        yearTo: null,
        terms: [],
        publicationTypes: [],
        journals: [],
        languages: [],
        mesh: [],
        keywords: [],
        sources: [],
        flags: [],
        hideCopies: false,
      },
      0,
      100,
    )
    .rows.map(({ id, decision, reason, mentions }) => ({ id, decision, reason, mentions })),
  notes: study.curation
    .ids({
      query: '',
      decisions: [],
      yearFrom: null,
      yearTo: null,
      terms: [],
      publicationTypes: [],
      journals: [],
      languages: [],
      mesh: [],
      keywords: [],
      sources: [],
      flags: [],
      hideCopies: true,
    })
    .map((id) => study.records.get(id).note),
  terms: study.terms.statistics(),
  sets: study.pairs.sets(),
  pairs: study.pairs.sets().flatMap((s) => study.pairs.list(s.id)),
  report: study.report.get(),
  name: study.settings.meta().name,
});

const report = (title: string): Report => ({ title, author: '', sections: [] });

describe('undo and redo', () => {
  test('go back and forth through every edit of a user, across restarts', () => {
    const folder = join(tempFolder(), 's');
    let study = createStudy(folder, 'S');
    addRecords(study, [
      { pmid: '1', title: 'Spikes', abstract: 'An EEG of spikes.' },
      { pmid: '2', title: 'Sleep', abstract: 'Sleep and seizures.' },
    ]);
    const ids = [1, 2] as RecordId[];
    const edits: ((s: Study) => void)[] = [
      (s) => s.decisions.decide(ids, 'exclude', 'Animal study'),
      (s) => s.decisions.decide(ids.slice(0, 1), 'include', null),
      (s) => s.decisions.setNote(ids[1]!, 'Look again.'),
      (s) => s.terms.set(['spike', 'sleep']),
      (s) => s.pairs.createSet('Capitals', [line('a')]),
      (s) => s.pairs.save(s.pairs.sets()[0]!.id, null, line('b')),
      (s) => s.pairs.save(s.pairs.sets()[0]!.id, s.pairs.list(s.pairs.sets()[0]!.id)[0]!.id, line('c')),
      (s) => s.pairs.remove([s.pairs.list(s.pairs.sets()[0]!.id)[1]!.id]),
      (s) => s.pairs.freeze(s.pairs.sets()[0]!.id),
      (s) => s.report.save(report('First')),
      (s) => s.report.save(report('Second')),
      (s) => s.settings.rename('T'),
    ];
    const states = [everything(study)];
    for (const edit of edits) {
      edit(study);
      states.push(everything(study));
    }
    study.close();

    study = openStudy(folder);
    for (let i = edits.length - 1; i >= 0; i--) {
      expect(study.undo.undo()).not.toBeNull();
      expect(everything(study), `after undoing edit ${i}`).toEqual(states[i]);
    }
    expect(study.undo.undo()).toBeNull();
    study.close();

    study = openStudy(folder);
    for (let i = 1; i <= edits.length; i++) {
      expect(study.undo.redo()).not.toBeNull();
      expect(everything(study), `after redoing edit ${i - 1}`).toEqual(states[i]);
    }
    expect(study.undo.redo()).toBeNull();
    study.close();
  });

  test('labels say what will be undone; a new edit ends redoing; an edit without effect does not', () => {
    const study = tempStudy();
    addRecords(study, [{ title: 'A', abstract: 'x' }]);
    const ids = [1 as RecordId];
    expect(study.undo.history()).toEqual({ undo: null, redo: null });
    study.decisions.decide(ids, 'exclude', 'Off topic');
    expect(study.undo.history()).toEqual({ undo: 'Exclude 1 record (Off topic)', redo: null });
    expect(study.undo.undo()).toEqual({ label: 'Exclude 1 record (Off topic)', what: 'records' });
    expect(study.undo.history()).toEqual({ undo: null, redo: 'Exclude 1 record (Off topic)' });
    expect(study.decisions.decide([99 as RecordId], 'include', null)).toBe(0);
    expect(study.undo.history().redo).toBe('Exclude 1 record (Off topic)');
    study.decisions.decide(ids, 'maybe', null);
    expect(study.undo.history()).toEqual({ undo: 'Mark as maybe 1 record', redo: null });
  });

  test('an edit that fails leaves no step and no change', () => {
    const study = tempStudy();
    expect(() =>
      study.undo.edit('Broken', 'study', () => {
        study.settings.set('x', 1);
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(study.undo.history()).toEqual({ undo: null, redo: null });
    study.settings.set('y', 1);
    expect(study.undo.history().undo).toBeNull();
  });

  test('undoing a rename leaves what a job wrote since', () => {
    const study = tempStudy();
    const sweep = study.sweeps.insert({
      name: 'First',
      spec: {
        modelId: 1 as never,
        pairSetId: 1 as never,
        grids: [{ hook: 'blocks.{layer}.hook_resid_pre', axes: 'layer_position' }],
        direction: 'denoising',
        method: 'exact',
        corruption: 'str',
        metrics: ['logit_diff'],
        epsilon: 1e-6,
        bos: 'auto',
        seed: 42,
      },
      plan: null,
      warnings: [],
      inputs: [],
    });
    study.sweeps.rename(sweep.id, 'Second');
    study.sweeps.update(sweep.id, { status: 'complete' });
    study.undo.undo();
    expect(study.sweeps.get(sweep.id)).toMatchObject({ name: 'First', status: 'complete' });
    study.sweeps.remove(sweep.id);
    expect(study.sweeps.list()).toEqual([]);
    study.undo.undo();
    expect(study.sweeps.list().map((s) => s.id)).toEqual([sweep.id]);
  });
});

describe('an edit of very many rows', () => {
  const N = 5_000;
  const all = RecordFilter.parse({});
  function large(): Study {
    const study = tempStudy();
    addRecords(
      study,
      Array.from({ length: N }, (_, i) => ({ title: `T${i}`, abstract: `Text ${i}.` })),
    );
    return study;
  }
  const counts = (study: Study) => {
    const { included, excluded, undecided } = study.curation.flow();
    return { included, excluded, undecided };
  };

  test('is made in parts, undone and redone as one', () => {
    const study = large();
    study.decisions.decide(study.curation.ids(all).slice(0, 10), 'exclude', 'Off topic');
    const told = [...study.decisions.decideSteps(study.curation.select(all), 'include', null)];
    expect(told.map(({ done, total }) => [done, total])).toEqual([1, 2, 3, 4, 5].map((n) => [n * 1_000, N]));
    expect(study.undo.history()).toEqual({ undo: 'Include 5,000 records', redo: null });
    expect([...study.undo.undoSteps()].length).toBeGreaterThan(1);
    expect(counts(study)).toEqual({ included: 0, excluded: 10, undecided: N - 10 });
    expect(study.undo.redo()?.label).toBe('Include 5,000 records');
    expect(counts(study)).toEqual({ included: N, excluded: 0, undecided: 0 });
    expect(study.undo.undo()?.label).toBe('Include 5,000 records');
    expect(study.undo.undo()?.label).toBe('Exclude 10 records (Off topic)');
    expect(counts(study).undecided).toBe(N);
  });

  test('with another edit between its parts, every order of undoing goes back to how it was', () => {
    const study = large();
    const ids = study.curation.select(all);
    const steps = study.decisions.decideSteps(ids, 'include', null);
    steps.next();
    study.decisions.decide([...study.curation.ids(all)].slice(500, 1_500), 'exclude', 'Off topic');
    atOnce(steps);
    expect(counts(study)).toEqual({ included: N - 500, excluded: 500, undecided: 0 });
    const labels = [study.undo.undo(), study.undo.undo(), study.undo.undo()].map((step) => step?.label);
    expect(labels).toEqual([
      'Include 5,000 records',
      'Exclude 1,000 records (Off topic)',
      'Include 5,000 records',
    ]);
    expect(counts(study)).toEqual({ included: 0, excluded: 0, undecided: N });
    for (let i = 0; i < 3; i++) study.undo.redo();
    expect(counts(study)).toEqual({ included: N - 500, excluded: 500, undecided: 0 });
  });

  test('ended half way, what was done stays and is undone as one', () => {
    const study = large();
    const steps = study.decisions.decideSteps(study.curation.select(all), 'maybe', null);
    steps.next();
    steps.next();
    steps.return(0);
    expect(counts(study).undecided).toBe(N - 2_000);
    study.undo.undo();
    expect(counts(study).undecided).toBe(N);
    expect(study.undo.history().undo).toBeNull();
  });

  test('undone half way, an edit first waits for the rest; a process that ended there can undo it anew', () => {
    const study = large();
    atOnce(study.decisions.decideSteps(study.curation.select(all), 'include', null));
    const steps = study.undo.undoSteps();
    steps.next();
    expect(counts(study).included).toBe(3_000);
    const [id] = study.curation.ids(all);
    study.decisions.decide(id === undefined ? [] : [id], 'maybe', null);
    expect(counts(study)).toEqual({ included: 0, excluded: 0, undecided: N - 1 });
    expect(steps.next()).toMatchObject({ done: true, value: { label: 'Include 5,000 records' } });
    study.undo.undo();

    atOnce(study.decisions.decideSteps(study.curation.select(all), 'include', null));
    study.undo.undoSteps().next();
    const { folder } = study;
    study.close();
    const again = openStudy(folder);
    expect(again.undo.history()).toEqual({ undo: 'Include 5,000 records', redo: null });
    expect(again.undo.undo()?.label).toBe('Include 5,000 records');
    expect(counts(again)).toEqual({ included: 0, excluded: 0, undecided: N });
    again.undo.redoSteps().next();
    const half = again.folder;
    again.close();
    const last = openStudy(half);
    last.undo.redo();
    expect(counts(last).included).toBe(N);
    last.close();
  });
});
