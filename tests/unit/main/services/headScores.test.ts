import { describe, expect, it } from 'vitest';
import { followers, headScores } from '../../../../src/main/services/copy-demo/headScores.ts';

const PROMPT = [7, 8, 9, 7, 8];
/** One layer; head 0 looks one token back, head 1 at what followed the present token before, else at the first. */
function pattern() {
  const T = PROMPT.length;
  const weights = new Float32Array(2 * T * T);
  const set = (head: number, q: number, k: number) => (weights[(head * T + q) * T + k] = 1);
  for (let q = 0; q < T; q++) {
    set(0, q, Math.max(0, q - 1));
    set(1, q, q === 3 ? 1 : q === 4 ? 2 : 0);
  }
  return { layers: [0], heads: 2, tokens: T, weights };
}

describe('scores of heads from attention alone', () => {
  it('know which tokens followed the present one before', () => {
    expect(followers(PROMPT)).toEqual([
      { query: 3, keys: [1] },
      { query: 4, keys: [2] },
    ]);
    // The token just before is no follower of itself.
    expect(followers([1, 1, 1])).toEqual([{ query: 2, keys: [1] }]);
  });

  it('tell a head that looks back from one that matches', () => {
    const [back, matching] = headScores([pattern()], [PROMPT]);
    expect(back).toMatchObject({ layer: 0, head: 0, previousToken: 1 });
    expect(matching).toMatchObject({ layer: 0, head: 1, prefixMatching: 1 });
    // By chance: one query in four looks at the token before it.
    expect(matching?.previousToken).toBe(0.25);
    expect(headScores([], [])).toEqual([]);
  });
});
