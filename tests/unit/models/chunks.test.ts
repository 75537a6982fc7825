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

  it('chunks: every text in sequences of its own, each filled up', () => {
    const options = { sequenceLength: 4, mode: 'chunk', eosTokenId: EOS } as const;
    const { block, ...counts } = buildBlock(texts, options);
    expect(rows(block)).toEqual([
      [1, 2, 3, 4],
      [5, EOS, EOS, EOS],
      [6, EOS, EOS, EOS],
      [1, 2, 3, EOS],
    ]);
    expect([...block.lengths]).toEqual([4, 2, 2, 4]);
    expect(counts).toEqual({ cutTexts: 0, cutTokens: 0, emptyTexts: 1 });
    expect([...buildBlock(texts, { ...options, endTexts: false }).block.lengths]).toEqual([4, 1, 1, 3]);
  });

  it('packs: all texts in a row, the last sequence filled up', () => {
    const { block, ...counts } = buildBlock(texts, { sequenceLength: 5, mode: 'pack', eosTokenId: EOS });
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

  it.each(['truncate', 'chunk', 'pack'] as const)('gives an empty block for no text: %s', (mode) => {
    const { block, emptyTexts } = buildBlock([[], []], { sequenceLength: 8, mode, eosTokenId: EOS });
    expect([block.count, block.ids.length, block.length, emptyTexts]).toEqual([0, 0, 8, 2]);
  });

  it.each(['chunk', 'pack'] as const)('keeps every token: %s', (mode) => {
    const many = Array.from({ length: 50 }, (_, i) =>
      Array.from({ length: (i * 7) % 23 }, (_, j) => (i + j) % 9),
    );
    const { block } = buildBlock(many, { sequenceLength: 16, mode, eosTokenId: EOS });
    const real = rows(block).flatMap((row, i) => row.slice(0, block.lengths[i]));
    expect(real).toEqual(many.filter((text) => text.length > 0).flatMap((text) => [...text, EOS]));
  });
});
