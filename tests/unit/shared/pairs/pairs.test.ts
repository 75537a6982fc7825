import { describe, expect, it } from 'vitest';
import { bosTokenFor, reduceAnswers, type EncodeContext } from '../../../../src/shared/pairs/encode.ts';
import { FLAG_RULES, pairFlags, type PairSituation } from '../../../../src/shared/pairs/flags.ts';
import { parsePairs, parsePairsStrictly } from '../../../../src/main/services/pairs/parse.ts';
import { preparePair, preparePairs } from '../../../../src/shared/pairs/prepare.ts';
import { resolveRead } from '../../../../src/shared/pairs/read.ts';
import { logitDifference, logSumExp, scorePair, topTokens } from '../../../../src/shared/pairs/score.ts';
import { encodePair, pairTokens } from '../../../../src/shared/pairs/tokens.ts';
import { PairFlag, PairLine } from '../../../../src/shared/domain/index.ts';

/** One token per character, ids = code points below 200: small enough to count by hand. */
const characters: EncodeContext = {
  tokenizer: {
    encode: (text) => Array.from(text, (c) => c.charCodeAt(0)),
    encodeInside: (text) => Array.from(text, (c) => c.charCodeAt(0)),
    tokenText: (id) => String.fromCharCode(id),
  },
  bos: null,
  vocabSize: 200,
  nCtx: 16,
};
const line = (over: object = {}): PairLine =>
  PairLine.parse({ id: 'p', clean: 'abc', corrupted: 'axc', answer: ['y'], wrong: ['z'], ...over });

const situation = (over: object = {}, run: PairSituation['run'] = null): PairSituation => {
  const parsed = line(over);
  const tokens = pairTokens(parsed, encodePair(parsed, characters), characters);
  return { line: parsed, tokens, nCtx: characters.nCtx, run };
};
const codes = (pair: PairSituation): string[] => pairFlags(pair).map((flag) => flag.code);

describe('pair traps', () => {
  const traps: Record<string, PairSituation> = {
    'unequal-length': situation({ corrupted: 'ab' }),
    'identical-prompts': situation({ corrupted: 'abc' }),
    'too-long': situation({ clean: 'a'.repeat(17), corrupted: 'b'.repeat(17) }),
    'unknown-span': situation({ read: 'END' }),
    'several-differences': situation({ corrupted: 'xyc' }),
    'multi-token-answer': situation({ answer: ['yes'] }),
    'bare-answer': situation({ clean: 'a b', corrupted: 'a c', answer: ['word'] }),
    'foreign-targets': situation({ clean: 'q? ab.', corrupted: 'q? cb.', answer: ['xyz'] }),
    'overlapping-answers': situation({ answer: ['y'], wrong: ['y', 'z'] }),
    'answer-in-prompt': situation({ answer: ['b'] }),
    'read-after-final-stop': situation({ clean: 'ab.', corrupted: 'xb.' }),
    'gap-near-zero': situation({}, { cleanLogitDiff: 1, corruptedLogitDiff: 0.99 }),
    'wrong-preferred': situation({}, { cleanLogitDiff: -1, corruptedLogitDiff: -3 }),
  };

  it('has one rule and one example for every code of the contract', () => {
    expect(FLAG_RULES.map((rule) => rule.code).sort()).toEqual([...PairFlag.shape.code.options].sort());
    expect(Object.keys(traps).sort()).toEqual([...PairFlag.shape.code.options].sort());
  });

  it.each(Object.keys(traps))('%s is raised by its example and not by a sound pair', (code) => {
    const pair = traps[code];
    expect(pair && codes(pair)).toContain(code);
    expect(codes(situation({}, { cleanLogitDiff: 2, corruptedLogitDiff: -1 }))).toEqual([]);
  });

  it('names the numbers of the fact', () => {
    expect(pairFlags(situation({ corrupted: 'ab' }))[0]?.fact).toBe('Lengths 3 and 2 differ.');
    expect(pairFlags(situation({}, { cleanLogitDiff: -1, corruptedLogitDiff: 1 }))[0]?.fact).toContain(
      '−1.000',
    );
  });
});

describe('read position and answers', () => {
  it.each([
    ['last', 2],
    [0, 0],
    [-2, 1],
    ['END', 1],
  ] as const)('read %s is token %i', (read, position) => {
    const pair = line({ read, spans: { clean: { END: [0, 2] }, corrupted: { END: [0, 2] } } });
    expect(resolveRead(pair, 3)).toEqual({ ok: true, position });
  });

  it.each([3, -4, 'IO'] as const)('read %s is refused', (read) => {
    expect(resolveRead(line({ read }), 3).ok).toBe(false);
  });

  it('reduces alternatives to ids: all tokens of a bag, the first of each, each id once', () => {
    expect(
      reduceAnswers(
        [
          [1, 2],
          [2, 3],
        ],
        'bag',
      ),
    ).toEqual([1, 2, 3]);
    expect(reduceAnswers([[1, 2], [1, 3], [4]], 'first')).toEqual([1, 4]);
  });

  it('puts a BOS before text, counts it, and leaves ids as given', () => {
    const withBos = { ...characters, bos: 199 };
    expect(preparePair(line(), withBos)).toMatchObject({ clean: [199, 97, 98, 99], read: 3 });
    const ids = line({ clean: { ids: [1, 2] }, corrupted: { ids: [1, 3] } });
    expect(preparePair(ids, withBos).clean).toEqual([1, 2]);
    expect(bosTokenFor('auto', 199, false)).toBeNull();
    expect(bosTokenFor('auto', 199, true)).toBe(199);
    expect(bosTokenFor('auto', null, true)).toBeNull();
    expect(bosTokenFor('no', 199, true)).toBeNull();
    expect(bosTokenFor('yes', 199, false)).toBe(199);
    expect(() => bosTokenFor('yes', null, false)).toThrow(/names no BOS/);
  });
});

describe('pairs that cannot be patched', () => {
  it.each([
    [{ id: 'x', corrupted: 'ab' }, 'PAIRS_UNEQUAL_LENGTH', 'Pair “x” has 3 clean and 2 corrupted tokens'],
    [{ clean: 'a'.repeat(17), corrupted: 'b'.repeat(17) }, 'PAIRS_TOO_LONG', '17 tokens; the model reads 16'],
    [{ answer_mode: 'sequence', read: 0 }, 'PAIRS_SEQUENCE_READ', 'whole answers'],
    [{ read: 9 }, 'PAIRS_UNKNOWN_SPAN', 'read 9 lies outside a prompt of 3 tokens'],
    [
      { clean: { ids: [1, 200, 3] } },
      'PAIRS_ID_RANGE',
      'token id 200; the model’s vocabulary has 200'.replace('’', "'"),
    ],
  ])('%j is %s', (over, code, text) => {
    expect(() => preparePair(line(over), characters)).toThrow(expect.objectContaining({ code }) as Error);
    expect(() => preparePair(line(over), characters)).toThrow(text);
  });

  it('needs a tokenizer for text', () => {
    expect(() => preparePair(line(), { ...characters, tokenizer: null })).toThrow(/no tokenizer/);
  });

  it('are left out of a set with their reason', () => {
    const { pairs, skipped } = preparePairs([line(), line({ id: 'q', corrupted: 'ab' })], characters);
    expect(pairs.map((p) => p.id)).toEqual(['p']);
    expect(skipped).toEqual([{ id: 'q', reason: 'Pair “q” has 3 clean and 2 corrupted tokens.' }]);
  });
});

describe('pair files', () => {
  const good = '{"id":"a","clean":"x","corrupted":"y","answer":["1"],"wrong":["2"]}';

  it('reads JSON lines and names the bad ones', () => {
    const { lines, rejected } = parsePairs(`${good}\n\n{"id":\n${good}\n{"id":"b","clean":"x"}`);
    expect(lines).toHaveLength(1);
    expect(rejected.map((r) => r.line)).toEqual([3, 4, 5]);
    expect(rejected.map((r) => r.reason).join('|')).toMatch(
      /not valid JSON\|the id “a” stands twice\|corrupted: /,
    );
  });

  it('reads CSV with alternatives between bars, spaces kept', () => {
    const csv =
      'id,clean,corrupted,answer,wrong,type,read\na,"The x","The y"," one| two"," three",causal,-1\n';
    expect(parsePairs(csv).lines[0]).toMatchObject({
      answer: [' one', ' two'],
      wrong: [' three'],
      type: 'causal',
      read: -1,
    });
  });

  it('refuses the first bad line and an empty file when strict', () => {
    expect(() => parsePairsStrictly(`${good}\n{`, 'P.jsonl')).toThrow('P.jsonl, line 2: not valid JSON.');
    expect(() => parsePairsStrictly('', 'P.jsonl')).toThrow('P.jsonl holds no pairs.');
  });
});

describe('scores of a live check', () => {
  const logits = Float32Array.of(0, 2, 1, -1);

  it('takes means over sets', () => {
    expect(logitDifference(logits, [1, 2], [0, 3])).toBeCloseTo(2, 12);
  });

  it('gives probabilities that sum to one and survive large logits', () => {
    const all = topTokens(logits, 4);
    expect(all.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 12);
    expect(logSumExp(Float32Array.of(1000, 0))).toBe(1000);
    expect(topTokens(Float32Array.of(1000, 0), 2).map(({ probability }) => probability)).toEqual([1, 0]);
  });

  it('finds the best of a large vocabulary as sorting does', () => {
    const many = Float32Array.from({ length: 50_257 }, (_, i) => Math.fround(((i * 7919) % 5003) / 100));
    const sorted = Array.from(many.keys()).sort((a, b) => (many[b] ?? 0) - (many[a] ?? 0) || a - b);
    expect(topTokens(many, 10).map(({ id }) => id)).toEqual(sorted.slice(0, 10));
    expect(topTokens(Float32Array.of(2, Number.NaN, 3), 2).map(({ id }) => id)).toEqual([2, 0]);
    expect(topTokens(many, 0)).toEqual([]);
  });

  it('ranks by logit, then id, and names the roles', () => {
    expect(topTokens(Float32Array.of(1, 1, 3), 3).map((t) => t.id)).toEqual([2, 0, 1]);
    const score = scorePair(logits, logits, [1], [0], characters);
    expect(score.cleanTop.map((t) => t.role)).toEqual(['right', 'other', 'wrong', 'other']);
    expect(score.cleanProbability).toBeCloseTo(Math.exp(2) / (1 + Math.exp(2) + Math.E + Math.exp(-1)), 12);
  });
});
