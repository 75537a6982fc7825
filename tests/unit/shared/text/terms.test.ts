import { describe, expect, it } from 'vitest';
import { DEFAULT_TERMS } from '../../../../src/shared/domain/index.ts';
import {
  countTerms,
  findTermRanges,
  termMatcher,
  termStatistics,
} from '../../../../src/shared/text/index.ts';

describe('a mention', () => {
  it.each([
    ['seizure', 'Seizure, SEIZURES and seizure-free.', 3],
    ['seizure', 'nonseizure seizurelike seizured', 0],
    ['EEG', 'EEG-fMRI, (eeg), EEGs; iEEG MEEG EEGLAB EEG2', 3],
    ['epilepsy', 'Epilepsy and the epilepsies; antiepilepsy, epileptic', 2],
    ['abscess', 'abscess abscesses', 2],
    [
      'status epilepticus',
      'Status  epilepticus, status-epilepticus, status\nepilepticus; status, epilepticus',
      3,
    ],
    ['épilepsie', 'Epilepsie, E\u0301PILEPSIE, épilepsies', 3],
    ['epilepsie', 'épilepsie', 1],
    ['CO2', 'CO₂ and co2', 2],
    ['Nav1.1', 'NaV1.1, Nav1x1', 1],
    ['p<0.05', '(p<0.05)', 1],
    ['C++', 'C++ or C', 1],
    ['ΣΑΣ', 'σας', 1],
    ['', 'anything', 0],
    ['  - ', 'any - thing', 0],
  ])('of %j in %j', (term, text, expected) => {
    expect(countTerms(text, [term])).toEqual([expected]);
  });

  it('is counted for each term on its own', () => {
    const text = 'Temporal lobe epilepsy: EEG of epilepsy.';
    expect(countTerms(text, ['epilepsy', 'temporal lobe epilepsy', 'EEG', 'sleep'])).toEqual([2, 1, 1, 0]);
  });
});

describe('ranges', () => {
  it.each([
    ['plain', 'An EEG showed seizures.', ['EEG', 'seizures']],
    ['before composed letters', 'Naïve épilepsie – EEG.', ['EEG']],
    [
      'over combining marks and ligatures',
      'The E\u0301EG of e\u0301eg ﬁn EEG\u0301!',
      ['E\u0301EG', 'e\u0301eg', 'EEG\u0301'],
    ],
    ['after characters of two units', '😀 EEG 𝒳 seizure', ['EEG', 'seizure']],
  ])('point into the original text: %s', (_what, text, expected) => {
    const found = findTermRanges(text, DEFAULT_TERMS);
    expect(found.map(({ start, end }) => text.slice(start, end))).toEqual(expected);
  });

  it('do not overlap; the longer term wins', () => {
    const text = 'temporal lobe epilepsy, epilepsy';
    const found = findTermRanges(text, ['epilepsy', 'temporal lobe epilepsy']);
    expect(found).toEqual([
      { term: 1, start: 0, end: 22 },
      { term: 0, start: 24, end: 32 },
    ]);
  });

  it('are as many as the count, where terms do not overlap', () => {
    const text = 'Épilepsie à l’EEG: seizures, EEGs, Epilepsies ﬁnally; EEG₂ ÉEG.';
    const matcher = termMatcher(DEFAULT_TERMS);
    const total = matcher.count(text).reduce((sum, n) => sum + n, 0);
    expect(total).toBe(5);
    expect(matcher.ranges(text).length).toBe(total);
  });
});

describe('statistics', () => {
  it('count mentions over all texts and the texts with at least one', () => {
    const texts = ['EEG and EEG', 'no term', 'EEG, seizure', 'seizures'];
    expect(termStatistics(texts, DEFAULT_TERMS)).toEqual([
      { term: 'epilepsy', mentions: 0, articles: 0 },
      { term: 'EEG', mentions: 3, articles: 2 },
      { term: 'seizure', mentions: 2, articles: 2 },
    ]);
  });
});
