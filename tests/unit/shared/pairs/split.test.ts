import { describe, expect, it } from 'vitest';
import { differenceGroups, encodePrompt, splitPair } from '../../../../src/shared/pairs/index.ts';
import { PairLine } from '../../../../src/shared/domain/index.ts';

/** One token a word, its space with it; `un` + `do` is read back as one token `undo`. */
const WORDS = [
  'In',
  ' people',
  ' with',
  ' epilepsy',
  ' dementia',
  ',',
  ' sharp',
  ' spikes',
  ' slow',
  ' waves',
  ' un',
  'do',
  ' undo',
];
const tokenizer = {
  encode: (text: string) =>
    (text.match(/ ?undo| ?un|[, ]?[A-Za-z]*[^ ,]|,/g) ?? []).map((word) => WORDS.indexOf(word)),
  encodeInside: (text: string) => tokenizer.encode(text),
  tokenText: (id: number) => WORDS[id] ?? '',
};
const context = {
  tokenizer,
  bos: null,
  vocabSize: WORDS.length,
  nCtx: 64,
  decode: (ids: readonly number[]) => ids.map((id) => WORDS[id] ?? '').join(''),
};
const line = (rest: object = {}) =>
  PairLine.parse({
    id: 'P-17',
    clean: 'In people with epilepsy, sharp spikes',
    corrupted: 'In people with dementia, slow waves',
    answer: ['a'],
    wrong: ['b'],
    ...rest,
  });

describe('differences of a pair', () => {
  it('belong together where they are neighbours or of one span', () => {
    expect(differenceGroups([3, 5, 6, 9], undefined)).toEqual([[3], [5, 6], [9]]);
    expect(differenceGroups([3, 5, 6, 9], { clean: { FACT: [3, 7] }, corrupted: {} })).toEqual([
      [3, 5, 6],
      [9],
    ]);
    expect(differenceGroups([], undefined)).toEqual([]);
  });

  it('become pairs of one item that change one fact each', () => {
    expect(splitPair(line(), context).map(({ id, corrupted, item }) => [id, corrupted, item])).toEqual([
      ['P-17a', 'In people with dementia, sharp spikes', 'P-17'],
      ['P-17b', 'In people with epilepsy, slow waves', 'P-17'],
    ]);
    expect(splitPair(line({ item: 'doctors' }), context)[0]?.item).toBe('doctors');
  });

  it('keep clean and everything else as it was', () => {
    const spans = { clean: { SUBJECT: [3, 4] }, corrupted: { SUBJECT: [3, 4] } };
    for (const made of splitPair(line({ type: 'causal', read: 5, spans }), context)) {
      expect(made).toMatchObject({ clean: line().clean, type: 'causal', read: 5, spans, answer: ['a'] });
    }
  });

  it('leave a pair whole that changes one fact, or whose prompts differ in length', () => {
    const one = line({ corrupted: 'In people with dementia, sharp spikes' });
    expect(splitPair(one, context)).toEqual([one]);
    const longer = line({ corrupted: 'In people with dementia, slow slow waves' });
    expect(splitPair(longer, context)).toEqual([longer]);
  });

  it('give ids where the tokenizer would read the text as other tokens', () => {
    const ids = (...words: string[]) => ({ ids: words.map((word) => WORDS.indexOf(word)) });
    const given = line({
      clean: ids(' un', ' with', 'do', ' people', ' spikes'),
      corrupted: ids(' un', 'do', 'do', ' people', ' waves'),
    });
    expect(splitPair(given, context)[0]?.corrupted).toEqual(ids(' un', 'do', 'do', ' people', ' spikes'));
    expect(encodePrompt('x', ' undo', context)).toHaveLength(1);
  });
});
