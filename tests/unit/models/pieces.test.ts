import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openTokenizer } from '../../../src/main/models/index.ts';
import { fromPiece, joinPieces } from '../../../src/main/models/pieces.ts';
import { temporaryFolder } from './helpers.ts';

describe('pieces', () => {
  it('are shown as they stand in text', () => {
    expect(fromPiece('▁the')).toBe(' the');
    expect(fromPiece('<0x0A>')).toBe('\n');
    expect(fromPiece('<0xE2>')).toBe('⟨E2⟩');
    expect(fromPiece('<0xE2')).toBe('<0xE2');
  });

  it('join to text, bytes to characters', () => {
    expect(joinPieces(['▁a', '<0xE2>', '<0x82>', '<0xAC>', 'b▁'])).toBe(' a€b ');
    expect(joinPieces(['<0xEF>', '<0xBB>', '<0xBF>', 'x'])).toBe('\ufeffx');
    // As Hugging Face's tokenizers: one sign for each byte of what is no character.
    expect(joinPieces(['<0xE2>', '<0x82>', 'x', '<0xFF>'])).toBe('\ufffd\ufffdx\ufffd');
    expect(joinPieces([])).toBe('');
  });
});

/** A SentencePiece tokenizer with five pieces, in one of the ways in which tokenizer.json says so. */
async function open(parts: Record<string, unknown>): ReturnType<typeof openTokenizer> {
  const folder = temporaryFolder();
  const vocab = { '<unk>': 0, '<s>': 1, '▁': 2, a: 3, '▁a': 4 };
  const special = (id: number, content: string): object => ({ id, content, special: true });
  const json = {
    added_tokens: [special(0, '<unk>'), special(1, '<s>')],
    decoder: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first' },
    model: { type: 'BPE', unk_token: '<unk>', vocab, merges: [['▁', 'a']], byte_fallback: true },
    ...parts,
  };
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(json));
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify({ bos_token: '<s>' }));
  return openTokenizer(folder);
}

const metaspace = (prepend_scheme: string): Record<string, unknown> => ({
  pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme, split: false },
});
const template = (first: object): Record<string, unknown> => ({
  post_processor: {
    type: 'TemplateProcessing',
    single: [first, { Sequence: { id: 'A', type_id: 0 } }],
    pair: [],
    special_tokens: { '<s>': { id: '<s>', ids: [1], tokens: ['<s>'] } },
  },
});

describe('a SentencePiece tokenizer', () => {
  it('puts a space before a text where its files say so', async () => {
    const first = (await open(metaspace('first')))!;
    expect([first.encode('a'), first.encodeInside('a'), first.encodeInside(' a')]).toEqual([[4], [3], [4]]);
    const never = (await open(metaspace('never')))!;
    expect([never.encode('a'), never.encodeInside('a'), never.encode(' a')]).toEqual([[3], [3], [4]]);
    expect(never.decode([4])).toBe(' a');
    expect(first.decode([4])).toBe('a');
    expect(first.description).toBe('SentencePiece BPE, 5 tokens');
  });

  it('says whether its model expects a token before a text', async () => {
    expect((await open(metaspace('first')))?.addsBos).toBe(false);
    const bos = template({ SpecialToken: { id: '<s>', type_id: 0 } });
    expect((await open(bos))?.addsBos).toBe(true);
    const sequence = { post_processor: { type: 'Sequence', processors: Object.values(bos) } };
    expect((await open(sequence))?.addsBos).toBe(true);
  });
});
