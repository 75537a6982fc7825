import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { UserInputError } from '../../shared/errors/index.ts';
import { BYTE_TO_CHAR, GPT2_WORDS, toByteLevel } from './byte-level.ts';
import { fileError } from './files.ts';
import { writeJson } from './folder-save.ts';
import { byteLevelBpeJson } from './tokenizer-files.ts';

/** A byte-level BPE vocabulary: 256 bytes, then one token a merge, then the end of text. */
export interface BpeVocabulary {
  /** Token → id, in the order of ids. */
  readonly vocab: Readonly<Record<string, number>>;
  /** In the order in which they were learnt, which is their priority. */
  readonly merges: readonly (readonly [string, string])[];
}

const END_OF_TEXT = '<|endoftext|>';

interface Word {
  readonly count: number;
  pieces: string[];
}

/**
 * Learns a byte-level BPE (Sennrich et al. 2016; bytes and word pattern of GPT-2): the most frequent pair of
 * neighbouring pieces becomes one, again and again, until the vocabulary has `vocabSize` tokens or no pair
 * occurs twice. Ties go to the pair that sorts first, so that the same texts give the same vocabulary.
 * Throws UserInputError `BPE_TOO_SMALL` where there is no room for all bytes.
 */
export function trainBpe(texts: Iterable<string>, vocabSize: number): BpeVocabulary {
  const alphabet = [...BYTE_TO_CHAR].sort();
  const mergeCount = vocabSize - alphabet.length - 1;
  if (mergeCount < 0) {
    throw new UserInputError(
      'BPE_TOO_SMALL',
      `A vocabulary of ${vocabSize} tokens has no room for the 256 bytes and the end of text.`,
      `Choose at least ${alphabet.length + 1} tokens.`,
    );
  }
  const words = countWords(texts);
  const merges: [string, string][] = [];
  while (merges.length < mergeCount) {
    const best = mostFrequentPair(words);
    if (best === null) break;
    merges.push(best);
    for (const word of words) word.pieces = merged(word.pieces, best);
  }
  const tokens = [...new Set([...alphabet, ...merges.map(([left, right]) => left + right), END_OF_TEXT])];
  return { vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges };
}

/**
 * Writes a vocabulary as the tokenizer files of a Hugging Face GPT-2 folder: tokenizer.json, vocab.json,
 * merges.txt, special_tokens_map.json, tokenizer_config.json. `contextLength` in tokens.
 */
export async function writeTokenizerFiles(
  folder: string,
  { vocab, merges }: BpeVocabulary,
  contextLength: number,
): Promise<void> {
  const id = vocab[END_OF_TEXT] ?? 0;
  const special = { bos_token: END_OF_TEXT, eos_token: END_OF_TEXT, unk_token: END_OF_TEXT };
  const path = join(folder, 'merges.txt');
  try {
    await mkdir(folder, { recursive: true });
    await writeFileAtomic(path, `#version: 0.2\n${merges.map((pair) => `${pair.join(' ')}\n`).join('')}`);
  } catch (error) {
    throw fileError(error, path);
  }
  await writeJson(join(folder, 'vocab.json'), vocab, 'compact');
  await writeJson(join(folder, 'special_tokens_map.json'), special);
  await writeJson(join(folder, 'tokenizer_config.json'), {
    ...special,
    add_prefix_space: false,
    clean_up_tokenization_spaces: false,
    model_max_length: contextLength,
    tokenizer_class: 'GPT2Tokenizer',
  });
  await writeJson(
    join(folder, 'tokenizer.json'),
    byteLevelBpeJson(vocab, merges, [{ id, content: END_OF_TEXT }]),
    'compact',
  );
}

function countWords(texts: Iterable<string>): Word[] {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const [word] of text.matchAll(GPT2_WORDS)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return [...counts].map(([word, count]) => ({ count, pieces: Array.from(toByteLevel(word)) }));
}

/** The most frequent pair that occurs at least twice. */
function mostFrequentPair(words: readonly Word[]): [string, string] | null {
  const counts = new Map<string, number>();
  for (const { count, pieces } of words) {
    for (let i = 1; i < pieces.length; i++) {
      const pair = `${pieces[i - 1]} ${pieces[i]}`;
      counts.set(pair, (counts.get(pair) ?? 0) + count);
    }
  }
  let best: string | null = null;
  let most = 1;
  for (const [pair, count] of counts) {
    if (count > most || (count === most && best !== null && pair < best)) [best, most] = [pair, count];
  }
  const [left, right] = best?.split(' ') ?? [];
  return left === undefined || right === undefined ? null : [left, right];
}

/** Joins the pair wherever it stands, from the left. */
function merged(pieces: string[], [left, right]: readonly [string, string]): string[] {
  const out: string[] = [];
  for (let i = 0; i < pieces.length; i++) {
    const piece = pieces[i] ?? '';
    const joins = piece === left && pieces[i + 1] === right;
    out.push(joins ? left + right : piece);
    if (joins) i++;
  }
  return out.length === pieces.length ? pieces : out;
}
