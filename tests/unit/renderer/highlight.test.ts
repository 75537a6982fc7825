import { describe, expect, it } from 'vitest';
import { highlight, queryWords } from '../../../src/renderer/features/curate/highlight.ts';
import { wordDiff } from '../../../src/renderer/features/curate/wordDiff.ts';

describe('highlighting terms', () => {
  it('marks a mention to the end of its word and keeps every character', () => {
    const text = 'Seizures and EEG (eeg) after seizure-free years';
    const segments = highlight(text, ['epilepsy', 'EEG', 'seizure']);
    expect(segments.map((s) => s.text).join('')).toBe(text);
    expect(segments.filter((s) => s.term !== null)).toEqual([
      { text: 'Seizures', term: 2 },
      { text: 'EEG', term: 1 },
      { text: 'eeg', term: 1 },
      { text: 'seizure', term: 2 },
    ]);
  });
  it('prefers the longer of overlapping terms and takes no term as a pattern', () => {
    expect(highlight('spike and wave', ['spike', 'spike and wave'])).toEqual([
      { text: 'spike and wave', term: 1 },
    ]);
    expect(highlight('a.b axb', ['a.b'])).toEqual([
      { text: 'a.b', term: 0 },
      { text: ' axb', term: null },
    ]);
  });
  it('leaves markup as text', () => {
    expect(highlight('<b>x</b>', [])).toEqual([{ text: '<b>x</b>', term: null }]);
  });
  it('takes the words of a query without its operators', () => {
    expect(queryWords('"focal spikes" OR seizure* NOT (cat)')).toEqual(['focal', 'spikes', 'seizure', 'cat']);
  });
});

describe('comparing copies', () => {
  const marked = (base: string, text: string) =>
    wordDiff(base, text)
      .filter((w) => w.differs)
      .map((w) => w.text);
  it('marks only the words that differ', () => {
    expect(marked('after temporal lobe surgery', 'after temporal-lobe surgery')).toEqual(['temporal-lobe']);
    expect(marked('a b c', 'a b c')).toEqual([]);
    expect(marked('a b c', 'a x b c y')).toEqual(['x', 'y']);
    expect(marked('one', 'two')).toEqual(['two']);
  });
});
