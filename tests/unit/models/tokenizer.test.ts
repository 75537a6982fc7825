import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { trainBpe, writeTokenizerFiles } from '../../../src/main/models/bpe-train.ts';
import { BYTE_TO_CHAR, fromByteLevel, GPT2_WORDS, toByteLevel } from '../../../src/main/models/byte-level.ts';
import { openTokenizer } from '../../../src/main/models/index.ts';
import { repository, temporaryFolder } from './helpers.ts';

const error = (code: string, message: RegExp): Error =>
  expect.objectContaining({ code, message: expect.stringMatching(message) as unknown }) as Error;
const words = (text: string): string[] => [...text.matchAll(GPT2_WORDS)].map(([word]) => word);

describe('byte-level text', () => {
  it('writes every byte as one character of its own', () => {
    expect(new Set(BYTE_TO_CHAR).size).toBe(256);
    expect(BYTE_TO_CHAR.every((char) => /^[^\s\p{C}]$/u.test(char))).toBe(true);
    // As in GPT-2's vocabulary: Ġ = space, Ċ = line feed.
    expect(toByteLevel(' a\nß')).toBe('ĠaĊÃŁ');
  });

  it.each(['', ' the', 'naïve β 脳波 🧠', '\u0000\n\u007f'])('goes there and back: %j', (text) => {
    expect(fromByteLevel(toByteLevel(text))).toBe(text);
  });

  it('shows bytes that are no character', () => {
    const bytes = (...values: number[]): string => values.map((value) => BYTE_TO_CHAR[value]).join('');
    expect(fromByteLevel(bytes(0x20, 0xe2, 0x82))).toBe(' ⟨E2⟩⟨82⟩');
    expect(fromByteLevel(bytes(0x82, 0xac, 0x61))).toBe('⟨82⟩⟨AC⟩a');
    expect(fromByteLevel(bytes(0xe2, 0x82, 0xac, 0xff))).toBe('€⟨FF⟩');
    // A surrogate and an overlong form are no characters either.
    expect(fromByteLevel(bytes(0xed, 0xa0, 0x80))).toBe('⟨ED⟩⟨A0⟩⟨80⟩');
    expect(fromByteLevel(bytes(0xc0, 0x80))).toBe('⟨C0⟩⟨80⟩');
  });

  it('splits as GPT-2 does, also where JavaScript’s white space differs', () => {
    expect(words("It's 12mg,  ok\n\n")).toEqual(['It', "'s", ' 12', 'mg', ',', ' ', ' ok', '\n\n']);
    expect(words('a\ufeff\ufeffb')).toEqual(['a', '\ufeff\ufeff', 'b']);
    expect(words('a\u0085\u0085b')).toEqual(['a', '\u0085', '\u0085', 'b']);
  });
});

describe('trainBpe', () => {
  it('merges the most frequent pair first, ties in the order of the pairs', () => {
    // “ab” ×3, then “cd” and “xy” ×2 each: c sorts before x.
    const { merges, vocab } = trainBpe(['ab ab ab', 'xy', 'cd', 'xy', 'cd'], 1000);
    const first = merges.slice(0, 2).map((pair) => pair.join(''));
    expect(first).toEqual(['ab', 'cd']);
    expect(merges.map((pair) => pair.join(''))).toContain('Ġab');
    expect(Object.keys(vocab)).toHaveLength(256 + merges.length + 1);
    expect(new Set(Object.values(vocab))).toEqual(
      new Set(Array.from({ length: 257 + merges.length }, (_, i) => i)),
    );
    expect(vocab['<|endoftext|>']).toBe(256 + merges.length);
  });

  it('joins a repeated piece from the left', async () => {
    const folder = temporaryFolder();
    await writeTokenizerFiles(folder, trainBpe(['aaaaa aaaaa'], 258), 16);
    const tokenizer = (await openTokenizer(folder))!;
    expect(tokenizer.encode('aaaaa').map((id) => tokenizer.tokenText(id))).toEqual(['aa', 'aa', 'a']);
  });

  it('stops where no pair occurs twice, and at the size asked for', () => {
    expect(trainBpe(['ab'], 1000).merges).toEqual([]);
    expect(trainBpe(['abab abab'], 258).merges).toHaveLength(1);
  });

  it('needs room for all bytes', () => {
    expect(() => trainBpe(['a'], 256)).toThrow(error('BPE_TOO_SMALL', /256/));
  });
});

describe('openTokenizer', () => {
  const SAMPLE = repository('resources/sample/tokenizer');

  it('describes the bundled tokenizer', async () => {
    const tokenizer = (await openTokenizer(SAMPLE))!;
    expect(tokenizer.description).toBe(`byte-level BPE, ${tokenizer.vocabSize} tokens`);
    expect(tokenizer.eosTokenId).toBe(tokenizer.vocabSize - 1);
    expect(tokenizer.bosTokenId).toBe(tokenizer.eosTokenId);
  });

  it('shows tokens as they stand in text, and adds nothing', async () => {
    const tokenizer = (await openTokenizer(SAMPLE))!;
    const ids = tokenizer.encode('Seizures in Aldermoor syndrome €');
    const texts = ids.map((id) => tokenizer.tokenText(id));
    expect(texts.slice(0, 4)).toEqual(['Seizures', ' in', ' Aldermoor', ' syndrome']);
    expect(texts.slice(-3)).toEqual(['⟨E2⟩', '⟨82⟩', '⟨AC⟩']);
    expect(tokenizer.decode(ids)).toBe('Seizures in Aldermoor syndrome €');
    expect(tokenizer.tokenText(tokenizer.eosTokenId!)).toBe('<|endoftext|>');
    expect(tokenizer.encode('a<|endoftext|>b')).toContain(tokenizer.eosTokenId);
    expect([tokenizer.encode(''), tokenizer.decode([])]).toEqual([[], '']);
  });

  it('refuses an id that is no token', async () => {
    const tokenizer = (await openTokenizer(SAMPLE))!;
    const beyond = tokenizer.vocabSize;
    expect(() => tokenizer.tokenText(beyond)).toThrow(error('TOKEN_ID_UNKNOWN', new RegExp(`${beyond}`)));
    expect(() => tokenizer.decode([0, -1])).toThrow(error('TOKEN_ID_UNKNOWN', /-1/));
  });

  it('is null without files and an error with half of them or damaged ones', async () => {
    const folder = temporaryFolder();
    expect(await openTokenizer(folder)).toBeNull();
    writeFileSync(join(folder, 'vocab.json'), '{"a": 0}');
    await expect(openTokenizer(folder)).rejects.toThrow(error('TOKENIZER_DAMAGED', /no merges\.txt/));
    writeFileSync(join(folder, 'merges.txt'), '#version: 0.2\na b\nab\n');
    await expect(openTokenizer(folder)).rejects.toThrow(error('TOKENIZER_DAMAGED', /line 3: "ab"/));
    writeFileSync(
      join(folder, 'tokenizer.json'),
      readFileSync(join(SAMPLE, 'tokenizer.json'), 'utf8').slice(0, 900),
    );
    await expect(openTokenizer(folder)).rejects.toThrow(error('TOKENIZER_DAMAGED', /not valid JSON/));
    writeFileSync(join(folder, 'tokenizer.json'), '{"model": {"type": "Riddle"}}');
    await expect(openTokenizer(folder)).rejects.toThrow(
      error('TOKENIZER_DAMAGED', /tokenizer\.json is no tokenizer/),
    );
  });
});
