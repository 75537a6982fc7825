import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { PairLine, RecordId, Report } from '../../../src/shared/domain/index.ts';
import { type Study, createStudy, openStudy } from '../../../src/main/store/index.ts';
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
