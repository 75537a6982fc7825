import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FreezeOptions } from '../../../src/shared/domain/index.ts';
import { createStudy, oneByOne, openStudy, type Study } from '../../../src/main/store/index.ts';
import { addRecords, tempFolder, tempStudy } from '../../support/store.ts';

const options = FreezeOptions.parse({ name: 'D', testFraction: 0.25 });

function fill(study: Study, n: number, from = 0): void {
  addRecords(
    study,
    Array.from({ length: n }, (_, i) => ({
      pmid: String(1000 + from + i),
      title: `Title ${from + i}`,
      abstract: `An abstract about seizures, number ${from + i}, with words of its own: ${'x'.repeat(1 + ((from + i) % 7))}.`,
    })),
  );
}

describe('freezing in steps', () => {
  test('makes the same version as at once, and lets others work between', async () => {
    const study = tempStudy();
    fill(study, 1_300);
    const whole = study.datasets.freeze(options);
    const doing: string[] = [];
    const steps = study.datasets.freezeSteps(options, 5);
    const made = await oneByOne(steps, undefined, ({ doing: what }) => {
      doing.push(what);
      // Nothing is seen of it before it is whole.
      expect(study.datasets.list()).toHaveLength(1);
    });
    expect(made).toMatchObject({ hash: whole.hash, nTrain: 975, nValidation: 325, version: 2 });
    expect(study.datasets.members(made.id)).toEqual(study.datasets.members(whole.id));
    expect(study.datasets.ofJob(5)?.id).toBe(made.id);
    expect(new Set(doing)).toEqual(
      new Set(['counting', 'reading held-out texts', 'comparing with held-out texts', 'writing']),
    );
  });

  test('ended half way, it leaves nothing once the study is opened again', async () => {
    const folder = join(tempFolder(), 'study');
    const study = createStudy(folder, 'S');
    fill(study, 1_300);
    const abort = new AbortController();
    const freezing = oneByOne(study.datasets.freezeSteps(options, 5), abort.signal, ({ doing, done }) => {
      if (doing === 'writing' && done >= 500) abort.abort(new Error('killed'));
    });
    await expect(freezing).rejects.toThrow('killed');
    expect(study.datasets.list()).toEqual([]);
    study.close();
    const again = openStudy(folder);
    try {
      expect(again.datasets.count()).toBe(0);
      expect(again.datasets.ofJob(5)).toBeUndefined();
      expect(again.check()).toEqual([]);
      expect(again.datasets.freeze(options).version).toBe(1);
    } finally {
      again.close();
    }
  });

  test('names texts to train on that nearly repeat a held-out one', () => {
    const study = tempStudy();
    const words = (seed: number) => Array.from({ length: 90 }, (_, i) => `w${seed}x${(i * seed) % 89}`);
    const texts = Array.from({ length: 20 }, (_, i) => words(i + 2));
    addRecords(study, [
      ...texts.map((text, i) => ({ pmid: String(100 + i), abstract: text.join(' ') })),
      // Each text once more with one word changed: under another PMID that is no copy to the import.
      ...texts.map((text, i) => ({ pmid: String(200 + i), abstract: text.with(40, 'changed').join(' ') })),
    ]);
    const { nearCopies } = study.datasets.freeze(FreezeOptions.parse({ name: 'D', text: 'abstract' }));
    expect(nearCopies?.threshold).toBe(0.7);
    const train = new Set(
      study.datasets.members(study.datasets.list()[0]!.id, 'train').map((m) => m.recordId),
    );
    const held = study.datasets.members(study.datasets.list()[0]!.id, 'validation').map((m) => m.recordId);
    const expected = held.filter((id) => train.has((id <= 20 ? id + 20 : id - 20) as typeof id));
    expect(expected.length).toBeGreaterThan(3);
    expect(nearCopies?.heldOut).toBe(expected.length);
    expect(nearCopies?.pairs).toBe(expected.length);
    for (const pair of nearCopies?.examples ?? []) {
      expect(Math.abs(pair.train - pair.validation)).toBe(20);
      expect(pair.similarity).toBeGreaterThan(0.85);
    }
  });
});

describe('terms in steps', () => {
  test('records that come in meanwhile are counted, and the list changes at the end', async () => {
    const study = tempStudy();
    fill(study, 1_200);
    let steps = 0;
    await oneByOne(study.terms.setSteps(['seizure', 'number']), undefined, () => {
      steps++;
      expect(study.settings.terms()).toEqual(['epilepsy', 'EEG', 'seizure']);
      if (steps === 1) fill(study, 100, 5_000);
    });
    expect(steps).toBeGreaterThan(1);
    expect(study.terms.statistics()).toEqual([
      { term: 'seizure', mentions: 1_300, articles: 1_300 },
      { term: 'number', mentions: 1_300, articles: 1_300 },
    ]);
    expect(study.terms.together()).toEqual([{ a: 0, b: 1, articles: 1_300 }]);
    expect(study.terms.byYear()).toEqual([
      { term: 'seizure', year: 2020, mentions: 1_300, articles: 1_300 },
      { term: 'number', year: 2020, mentions: 1_300, articles: 1_300 },
    ]);
  });

  test('ended half way, the list is as it was and the count begins anew', async () => {
    const folder = join(tempFolder(), 'study');
    const study = createStudy(folder, 'S');
    fill(study, 1_200);
    const abort = new AbortController();
    const counting = oneByOne(study.terms.setSteps(['number']), abort.signal, () =>
      abort.abort(new Error('stop')),
    );
    await expect(counting).rejects.toThrow('stop');
    expect(study.settings.terms()).toEqual(['epilepsy', 'EEG', 'seizure']);
    study.close();
    const again = openStudy(folder);
    try {
      again.terms.set(['number']);
      expect(again.terms.statistics()).toEqual([{ term: 'number', mentions: 1_200, articles: 1_200 }]);
    } finally {
      again.close();
    }
  });
});
