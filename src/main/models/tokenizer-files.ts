import { join } from 'node:path';
import { z } from 'zod';
import { FormatError } from '../../shared/errors/index.ts';
import { parseJson, readTextIfAny } from './files.ts';

const DAMAGED = 'TOKENIZER_DAMAGED';

const AddedToken = z.looseObject({
  id: z.number().int().nonnegative(),
  content: z.string(),
  special: z.boolean().default(false),
});

/** The parts of tokenizer.json that are looked at here; the rest passes through to the library. */
export const TokenizerJson = z.looseObject({
  added_tokens: z.array(AddedToken).default([]),
  normalizer: z.unknown().default(null),
  pre_tokenizer: z.unknown().default(null),
  post_processor: z.unknown().default(null),
  decoder: z.unknown().default(null),
  model: z.looseObject({ type: z.string().optional() }),
});
export type TokenizerJson = z.infer<typeof TokenizerJson>;

const TokenName = z.union([z.string(), z.looseObject({ content: z.string() })]).nullish();
const TokenizerConfig = z.looseObject({ bos_token: TokenName, eos_token: TokenName });
const Vocabulary = z.record(z.string(), z.number().int().nonnegative());

export interface TokenizerFiles {
  /** For the library and for messages. */
  readonly path: string;
  readonly json: TokenizerJson;
  readonly config: Readonly<Record<string, unknown>>;
  readonly bosToken: string | null;
  readonly eosToken: string | null;
}

/** GPT-2's only special token, used where a folder of vocab.json and merges.txt does not say. */
const END_OF_TEXT = '<|endoftext|>';

/**
 * A folder's tokenizer as one description: tokenizer.json, or vocab.json and merges.txt as GPT-2's
 * byte-level BPE. Null where it has neither. Throws FormatError `TOKENIZER_DAMAGED`.
 */
export async function readTokenizerFiles(folder: string): Promise<TokenizerFiles | null> {
  const path = join(folder, 'tokenizer.json');
  const text = await readTextIfAny(path);
  const json = text === null ? await fromVocabulary(folder) : parseJson(text, TokenizerJson, path, DAMAGED);
  if (json === null) return null;
  const config = await readConfig(folder);
  const nameOf = (token: z.infer<typeof TokenName>): string | null =>
    token === undefined || token === null ? null : typeof token === 'string' ? token : token.content;
  const fallback = json.added_tokens.some(({ content }) => content === END_OF_TEXT) ? END_OF_TEXT : null;
  return {
    path: text === null ? folder : path,
    json,
    config,
    bosToken: nameOf(config.bos_token) ?? fallback,
    eosToken: nameOf(config.eos_token) ?? fallback,
  };
}

/** tokenizer.json of a byte-level BPE as GPT-2's: no space added in front, no special tokens around. */
export function byteLevelBpeJson(
  vocab: Readonly<Record<string, number>>,
  merges: readonly (readonly [string, string])[],
  special: readonly { readonly id: number; readonly content: string }[],
): TokenizerJson {
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special.map(({ id, content }) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: { ...byteLevel, trim_offsets: false },
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab,
      merges,
    },
  };
}

async function readConfig(folder: string): Promise<z.infer<typeof TokenizerConfig>> {
  let config: z.infer<typeof TokenizerConfig> = {};
  for (const name of ['special_tokens_map.json', 'tokenizer_config.json']) {
    const path = join(folder, name);
    const text = await readTextIfAny(path);
    if (text !== null) config = { ...config, ...parseJson(text, TokenizerConfig, path, DAMAGED) };
  }
  return config;
}

async function fromVocabulary(folder: string): Promise<TokenizerJson | null> {
  const [vocabPath, mergesPath] = [join(folder, 'vocab.json'), join(folder, 'merges.txt')];
  const [vocabText, mergesText] = await Promise.all([readTextIfAny(vocabPath), readTextIfAny(mergesPath)]);
  if (vocabText === null && mergesText === null) return null;
  if (vocabText === null || mergesText === null) {
    const [there, absent] = vocabText === null ? ['merges.txt', 'vocab.json'] : ['vocab.json', 'merges.txt'];
    throw new FormatError(
      DAMAGED,
      `${folder} has ${there} but no ${absent}.`,
      'A tokenizer needs both, or tokenizer.json.',
    );
  }
  const vocab = parseJson(vocabText, Vocabulary, vocabPath, DAMAGED);
  const id = vocab[END_OF_TEXT];
  return byteLevelBpeJson(
    vocab,
    parseMerges(mergesText, mergesPath),
    id === undefined ? [] : [{ id, content: END_OF_TEXT }],
  );
}

function parseMerges(text: string, path: string): [string, string][] {
  const merges: [string, string][] = [];
  text.split('\n').forEach((line, index) => {
    if (line.trim() === '' || (index === 0 && line.startsWith('#version'))) return;
    const [left, right, ...rest] = line.replace(/\r$/, '').split(' ');
    if (!left || !right || rest.length > 0) {
      throw new FormatError(
        DAMAGED,
        `${path}, line ${index + 1}: "${line.slice(0, 40)}" is no merge of two pieces.`,
        'Get the file again.',
      );
    }
    merges.push([left, right]);
  });
  return merges;
}
