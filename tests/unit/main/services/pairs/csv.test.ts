import { describe, expect, it } from 'vitest';
import { pairsCsv } from '../../../../../src/main/services/pairs/csv.ts';
import { parsePairs } from '../../../../../src/main/services/pairs/parse.ts';
import { PairLine } from '../../../../../src/shared/domain/index.ts';

const base = { id: 'a', clean: 'The x is', corrupted: 'The y is', answer: [' one'], wrong: [' two'] };
const CASES: Readonly<Record<string, object>> = {
  'text with commas, quotes and line breaks': {
    clean: 'He said: "a, b",\nthen left',
    corrupted: ' leading  ',
  },
  'several answers, spaces kept': { answer: [' one', '  two', 'three '], wrong: [' x', ' y'] },
  'answers that hold the separator': { answer: [' a|b', ' c'] },
  'answers of token ids': { answer: [[1, 2], ' text'], wrong: [[3]] },
  'an answer that looks like JSON': { answer: ['[1]'], wrong: ['["a"]'] },
  'prompts of token ids': { clean: { ids: [1, 2, 3] }, corrupted: { ids: [1, 2, 4] } },
  'a prompt that looks like token ids': { clean: '{"ids":[1]}', corrupted: '"{\\"ids\\":[1]}"' },
  'quotes around a whole prompt': { clean: '"Quoted"', corrupted: '"Other"' },
  'formulas of a spreadsheet': { clean: '=1+1', corrupted: "'=1+1", answer: ['-one'], wrong: ["''@x"] },
  'every optional column': {
    type: 'causal',
    item: 'doctors',
    answer_mode: 'sequence',
    read: -2,
    key: [1, 2],
    spans: { clean: { SUBJECT: [1, 2] }, corrupted: { SUBJECT: [1, 2] } },
    source: 'A third prompt',
  },
  'a span called like a number, as read position and key': {
    read: '12',
    key: '[1]',
    spans: { clean: { '12': [0, 1], '[1]': [1, 2] }, corrupted: {} },
  },
  'letters beyond ASCII': {
    clean: 'Épilepsie — “größer”',
    corrupted: '癫痫 🙂',
    answer: [' μ'],
    wrong: [' Ж'],
  },
};

describe('pairs as CSV', () => {
  it.each(Object.entries(CASES))('come back as they were: %s', (_, rest) => {
    const lines = [PairLine.parse({ ...base, ...rest }), PairLine.parse({ ...base, id: 'b' })];
    expect(parsePairs(`\ufeff${pairsCsv(lines)}`)).toEqual({ lines, rejected: [] });
  });

  it('neutralise what a spreadsheet would run', () => {
    const csv = pairsCsv([PairLine.parse({ ...base, clean: '=HYPERLINK("x")' })]);
    expect(csv).toContain(`"'=HYPERLINK(""x"")"`);
  });

  it('name the line of a cell that cannot be read', () => {
    const csv = 'id,clean,corrupted,answer,wrong,spans\na,x,y,1,2,nonsense\nb,x,y,1,2,\n';
    const { lines, rejected } = parsePairs(csv);
    expect(lines.map(({ id }) => id)).toEqual(['b']);
    expect(rejected).toMatchObject([
      { line: 2, key: 'a', reason: expect.stringContaining('spans') as string },
    ]);
  });
});
