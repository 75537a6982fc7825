import { describe, expect, it } from 'vitest';
import { buildBlock } from '../../../src/main/models/index.ts';

const EOS = 9;
const texts = [[1, 2, 3, 4, 5], [], [6], [1, 2, 3]];
const rows = ({ ids, count, length }: ReturnType<typeof buildBlock>['block']): number[][] =>
  Array.from({ length: count }, (_, row) => [...ids.subarray(row * length, (row + 1) * length)]);

describe('buildBlock', () => {
  it('truncates: one sequence a text, ended where there is room', () => {
    const { block, ...counts } = buildBlock(texts, { sequenceLength: 4, mode: 'truncate', eosTokenId: EOS });
    expect(rows(block)).toEqual([
      [1, 2, 3, 4],
      [6, EOS, EOS, EOS],
      [1, 2, 3, EOS],
    ]);
    expect([...block.lengths]).toEqual([4, 2, 4]);
    expect(counts).toEqual({ cutTexts: 1, cutTokens: 1, emptyTexts: 1 });
  });

  it('chunks: all texts in a row, the last sequence filled up', () => {
    const { block, ...counts } = buildBlock(texts, { sequenceLength: 5, mode: 'chunk', eosTokenId: EOS });
    expect(rows(block)).toEqual([
      [1, 2, 3, 4, 5],
      [EOS, 6, EOS, 1, 2],
      [3, EOS, EOS, EOS, EOS],
    ]);
    expect([...block.lengths]).toEqual([5, 5, 2]);
    expect(counts).toEqual({ cutTexts: 0, cutTokens: 0, emptyTexts: 1 });
  });

  it('neither ends nor fills with a token that the vocabulary lacks', () => {
    const { block } = buildBlock([[7], [8, 7]], { sequenceLength: 2, mode: 'truncate', eosTokenId: null });
    expect(rows(block)).toEqual([
      [7, 0],
      [8, 7],
    ]);
    expect([...block.lengths]).toEqual([1, 2]);
  });

  it.each(['truncate', 'chunk'] as const)('gives an empty block for no text: %s', (mode) => {
    const { block, emptyTexts } = buildBlock([[], []], { sequenceLength: 8, mode, eosTokenId: EOS });
    expect([block.count, block.ids.length, block.length, emptyTexts]).toEqual([0, 0, 8, 2]);
  });

  it('keeps every token when it chunks', () => {
    const many = Array.from({ length: 50 }, (_, i) =>
      Array.from({ length: (i * 7) % 23 }, (_, j) => (i + j) % 9),
    );
    const { block } = buildBlock(many, { sequenceLength: 16, mode: 'chunk', eosTokenId: EOS });
    const real = rows(block).flatMap((row, i) => row.slice(0, block.lengths[i]));
    expect(real).toEqual(many.filter((text) => text.length > 0).flatMap((text) => [...text, EOS]));
  });
});
