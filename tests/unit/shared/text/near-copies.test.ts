import { describe, expect, test } from 'vitest';
import { NearCopies, shingles } from '../../../../src/shared/text/index.ts';

/** Whole numbers that look random and are the same everywhere. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 8;
  };
}

function jaccard(a: string, b: string): number {
  const [x, y] = [new Set(shingles(a)), new Set(shingles(b))];
  const both = [...x].filter((s) => y.has(s)).length;
  return both / (x.size + y.size - both);
}

describe('near-copies', () => {
  test('a text with a few words changed is one, another text is none', () => {
    const words = Array.from({ length: 120 }, (_, i) => `word${i}`);
    const copies = new NearCopies(0.7);
    copies.hold(1, words.join(' '));
    const changed = words.with(30, 'other').with(90, 'different');
    expect(copies.find(2, changed.join(' '))).toEqual([
      { held: 1, other: 2, similarity: expect.closeTo(106 / 126, 10) as number },
    ]);
    expect(copies.find(3, words.toReversed().join(' '))).toEqual([]);
  });

  test('case, accents, punctuation and line breaks make no difference', () => {
    const copies = new NearCopies();
    copies.hold(1, 'Naïve patients: with EPILEPSY, were\nfollowed for two years.');
    expect(copies.find(2, 'naive patients with epilepsy were followed for (two) years')[0]?.similarity).toBe(
      1,
    );
  });

  test('short texts are compared as they are; empty ones with nothing', () => {
    const copies = new NearCopies();
    copies.hold(1, 'three short words');
    copies.hold(2, '');
    expect(copies.find(3, 'Three short words.').map((c) => c.held)).toEqual([1]);
    expect(copies.find(4, 'three long words')).toEqual([]);
    expect(copies.find(5, '')).toEqual([]);
  });

  test('finds exactly the pairs that comparing each with each finds', () => {
    const random = numbers(5);
    // Few words, so that unrelated texts share shingles; copies with 0 to 12 words changed.
    const word = () => `w${random() % 40}`;
    const base = Array.from({ length: 40 }, () => Array.from({ length: 20 + (random() % 120) }, word));
    const texts = base.flatMap((words) => [
      words.join(' '),
      words.map((w, i) => (i > 0 && random() % 30 === 0 ? word() : w)).join(' '),
      words.map((w) => (random() % 12 === 0 ? word() : w)).join(' '),
    ]);
    const held = texts.filter((_, i) => i % 2 === 0);
    const others = texts.filter((_, i) => i % 2 === 1);
    const threshold = 0.6;
    const copies = new NearCopies(threshold);
    held.forEach((text, i) => copies.hold(i, text));
    const found = others.flatMap((text, i) => copies.find(i, text).map((c) => `${c.held} ${c.other}`));
    const expected = others.flatMap((text, o) =>
      held.flatMap((other, h) => (jaccard(text, other) >= threshold ? [`${h} ${o}`] : [])),
    );
    expect(expected.length).toBeGreaterThan(20);
    expect(found.toSorted()).toEqual(expected.toSorted());
  });
});
