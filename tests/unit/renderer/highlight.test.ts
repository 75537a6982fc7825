import { describe, expect, it } from 'vitest';
import { highlight, queryWords } from '../../../src/renderer/features/curate/highlight.ts';
import { countTerms } from '../../../src/shared/text/terms.ts';
import { wordDiff } from '../../../src/renderer/features/curate/wordDiff.ts';

describe('highlighting terms', () => {
  it('marks mentions as they are counted, plurals included, and keeps every character', () => {
    const text = 'Seizures and EEG (eeg) after seizure-free years, not iEEG';
    const segments = highlight(text, ['epilepsy', 'EEG', 'seizure']);
    expect(segments.map((s) => s.text).join('')).toBe(text);
    expect(segments.filter((s) => s.term !== null)).toEqual([
      { text: 'Seizures', term: 2 },
      { text: 'EEG', term: 1 },
      { text: 'eeg', term: 1 },
      { text: 'seizure', term: 2 },
    ]);
    expect(segments.filter((s) => s.term !== null)).toHaveLength(
      countTerms(text, ['epilepsy', 'EEG', 'seizure']).reduce((a, b) => a + b),
    );
  });
  it('prefers the longer of overlapping terms and takes no term as a pattern', () => {
    expect(highlight('spike and wave', ['spike', 'spike and wave'])).toEqual([
      { text: 'spike and wave', term: 1 },
    ]);
    expect(highlight('a.b axb', ['a.b*'])).toEqual([
      { text: 'a.b', term: 0 },
      { text: ' axb', term: null },
    ]);
  });
  it('marks every word that begins as a starred word of the query does', () => {
    const marked = highlight('Spikes, spiking and polyspikes', ['spik*']).filter((s) => s.term !== null);
    expect(marked.map((s) => s.text)).toEqual(['Spikes', 'spiking']);
  });
  it('leaves markup as text', () => {
    expect(highlight('<b>x</b>', [])).toEqual([{ text: '<b>x</b>', term: null }]);
  });
  it('takes the words of a query without its operators', () => {
    expect(queryWords('"focal spikes" OR seizure* NOT (cat)')).toEqual([
      'focal',
      'spikes',
      'seizure*',
      'cat',
    ]);
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
