import { describe, expect, it } from 'vitest';
import { fuzzyFilter, fuzzyScore } from '../../../src/renderer/app/fuzzy.ts';

describe('finding commands', () => {
  const items = ['Show jobs', 'Go to Sweeps', 'Switch between light and dark', 'Go to Settings'];
  it('puts the beginning of a word before scattered letters', () => {
    expect(fuzzyFilter(items, 'swe', (x) => x)[0]).toBe('Go to Sweeps');
    expect(fuzzyFilter(items, 'set', (x) => x)[0]).toBe('Go to Settings');
  });
  it('takes initials', () => {
    expect(fuzzyScore('gts', 'Go to Sweeps')).not.toBeNull();
  });
  it('refuses letters that are missing, out of order or merely strewn', () => {
    expect(fuzzyScore('xyz', 'Go to Sweeps')).toBeNull();
    expect(fuzzyScore('spews', 'Go to Sweeps')).toBeNull();
    expect(fuzzyScore('swe', 'Show jobs View')).toBeNull();
  });
  it('shows everything, in order, for an empty query', () => {
    expect(fuzzyFilter(items, ' ', (x) => x)).toEqual(items);
  });
});
