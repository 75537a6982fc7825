import { describe, expect, it } from 'vitest';
import { passedChecks } from '../../../src/renderer/features/pairs/checks.ts';
import {
  firstAnswers,
  freeId,
  gapOf,
  isText,
  nextId,
  promptText,
  swapped,
  worst,
} from '../../../src/renderer/features/pairs/pairText.ts';
import {
  freeLane,
  innermost,
  spanMarks,
  spansAt,
  withoutSpan,
  withSpan,
} from '../../../src/renderer/features/pairs/spans.ts';
import { PairLine, type PairCheck, type PairFlag } from '../../../src/shared/domain/index.ts';

const line = PairLine.parse({
  id: 'P-1',
  clean: 'In epilepsy, spikes',
  corrupted: 'In dementia, waves',
  answer: [' seizures'],
  wrong: [' decline', [5, 6]],
  read: 'END',
  spans: { clean: { SUBJECT: [1, 2], ALL: [0, 4], END: [3, 4] }, corrupted: { SUBJECT: [1, 2] } },
});
const token = (id: number) => ({ id, text: ` t${id}` });
const tokens = {
  clean: [1, 2, 3, 4].map(token),
  corrupted: [1, 7, 3, 4].map(token),
  answer: [[token(9)]],
  wrong: [[token(8)]],
  differing: [1],
  read: 3,
};
const flag = (code: PairFlag['code'], level: PairFlag['level'] = 'warning'): PairFlag => ({
  code,
  level,
  fact: 'fact',
  consequence: 'consequence',
});

describe('spans', () => {
  it('are stacked where they overlap, the longest next to the tokens', () => {
    expect(spanMarks(line)).toEqual([
      { name: 'ALL', start: 0, end: 3, lane: 0 },
      { name: 'SUBJECT', start: 1, end: 1, lane: 1 },
      { name: 'END', start: 3, end: 3, lane: 1 },
    ]);
    expect(freeLane(spanMarks(line), { start: 1, end: 1 })).toBe(2);
    expect(freeLane(spanMarks(line), { start: 2, end: 2 })).toBe(1);
    expect(spansAt(spanMarks(line), 1)).toEqual(['ALL', 'SUBJECT']);
    expect(innermost(spanMarks(line), 1)?.name).toBe('SUBJECT');
    expect(innermost(spanMarks(line), 2)?.name).toBe('ALL');
    expect(innermost(spanMarks(line), 9)).toBeUndefined();
  });
  it('are drawn over the same tokens of both prompts where they are aligned', () => {
    const drawn = withSpan(line, 'FINDING', { start: 2, end: 3 }, true);
    expect(drawn.spans?.clean['FINDING']).toEqual([2, 4]);
    expect(drawn.spans?.corrupted['FINDING']).toEqual([2, 4]);
    expect(withSpan(line, 'X', { start: 0, end: 0 }, false).spans?.corrupted).not.toHaveProperty('X');
  });
  it('take the read position with them when they are removed', () => {
    const removed = withoutSpan(line, 'END');
    expect(removed.read).toBe('last');
    expect(removed.spans?.clean).not.toHaveProperty('END');
    expect(withoutSpan(line, 'SUBJECT').read).toBe('END');
    expect(withoutSpan(line, 'SUBJECT').spans?.corrupted).toEqual({});
  });
});

describe('pair lines', () => {
  it('are swapped with their answers and spans, and twice swapped are themselves', () => {
    const other = swapped(line);
    expect([other.clean, other.corrupted]).toEqual([line.corrupted, line.clean]);
    expect(other.answer).toEqual(line.wrong);
    expect(other.spans?.clean).toEqual(line.spans?.corrupted);
    expect(swapped(other)).toEqual(line);
  });
  it('get ids that are free', () => {
    expect(freeId('P-1', new Set(['P-1', 'P-1-2']))).toBe('P-1-3');
    expect(nextId(new Set(['P-1', 'P-16', 'x']))).toBe('P-17');
    expect(nextId(new Set())).toBe('P-1');
  });
  it('are shown as text, ids as given', () => {
    expect(firstAnswers(line)).toEqual({ right: 'seizures', wrong: 'decline' });
    expect(promptText({ ids: [3, 4] })).toBe('3 4');
    expect(isText({ ...line, clean: { ids: [1] } })).toBe(false);
  });
  it('have the level of their worst flag', () => {
    expect(worst([])).toBeNull();
    expect(worst([flag('gap-near-zero'), flag('unequal-length', 'error')])).toBe('error');
    expect(worst([flag('gap-near-zero')])).toBe('warning');
  });
});

describe('checks that pass', () => {
  const run = {
    cleanLogitDiff: 2.5,
    corruptedLogitDiff: -2.96,
    cleanProbability: 0.2,
    corruptedProbability: 0.1,
    cleanTop: [],
    corruptedTop: [],
    milliseconds: 3,
  };
  const passed = (check: PairCheck) => passedChecks(check).map((c) => c.code);

  it('are those without a flag, with their measured value', () => {
    const check: PairCheck = { tokens, flags: [flag('several-differences')], run };
    expect(passed(check)).not.toContain('several-differences');
    expect(passedChecks(check).find((c) => c.code === 'gap-near-zero')?.value).toBe('5.46');
    expect(passedChecks(check).find((c) => c.code === 'unequal-length')?.value).toBe('4 and 4');
    expect(gapOf(run)).toBeCloseTo(5.46, 10);
  });
  it('say nothing of the model where it did not run', () => {
    const check: PairCheck = { tokens, flags: [flag('unequal-length', 'error')], run: null };
    expect(passed(check)).not.toContain('gap-near-zero');
    expect(passed(check)).not.toContain('wrong-preferred');
    expect(passed(check)).toContain('overlapping-answers');
    const uneven = { ...tokens, corrupted: tokens.corrupted.slice(1) };
    expect(passed({ ...check, tokens: uneven })).not.toContain('several-differences');
    expect(passed(check)).toContain('several-differences');
  });
});
