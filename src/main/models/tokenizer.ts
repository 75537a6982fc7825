import { ByteLevelPreTokenizer, Tokenizer } from '@huggingface/tokenizers';
import { FormatError, UserInputError } from '../../shared/errors/index.ts';
import { GPT2_WORDS } from './byte-level.ts';
import { readTokenizerFiles, type TokenizerFiles, type TokenizerJson } from './tokenizer-files.ts';
import { addsBos, insideText, kindOf, prependsSpace } from './tokenizer-kinds.ts';
import type { TextTokenizer } from './types.ts';

/**
 * The tokenizer of a Hugging Face folder, or null where it has none (prompts can then only be given as ids).
 * Throws FormatError `TOKENIZER_DAMAGED` for files that cannot be read.
 */
export async function openTokenizer(folder: string): Promise<TextTokenizer | null> {
  const files = await readTokenizerFiles(folder);
  return files === null ? null : wrap(files);
}

function wrap(files: TokenizerFiles): TextTokenizer {
  const tokenizer = load(files, files.json);
  const kind = kindOf(files);
  const ids = [...tokenizer.get_vocab(true).values()];
  const vocabSize = ids.reduce((most, id) => Math.max(most, id), -1) + 1;
  const added = tokenizer.get_added_tokens_decoder();
  const idOf = (token: string | null): number | null =>
    token === null ? null : (tokenizer.token_to_id(token) ?? null);
  const tokenOf = (id: number): string => {
    const token = tokenizer.id_to_token(id);
    if (token === undefined) throw unknownId(id, vocabSize);
    return token;
  };
  const textOf = (sequence: readonly number[]): string => {
    const tokens = sequence.map(tokenOf);
    if (kind.join !== null) return kind.join(tokens);
    if (sequence.length === 0) return '';
    return tokenizer.decode([...sequence], {
      skip_special_tokens: false,
      clean_up_tokenization_spaces: false,
    });
  };
  const encode = encoder(tokenizer);
  const spaced = prependsSpace(files);
  let inside: ((text: string) => number[]) | undefined;
  return {
    description: `${kind.label(files.json.model.type ?? 'unnamed model')}, ${vocabSize.toLocaleString('en-US')} tokens`,
    vocabSize,
    bosTokenId: idOf(files.bosToken),
    eosTokenId: idOf(files.eosToken),
    addsBos: addsBos(files),
    encode,
    encodeInside: spaced ? (text) => (inside ??= encoder(load(files, insideText(files.json))))(text) : encode,
    decode: spaced ? (sequence) => textOf(sequence).replace(/^ /, '') : textOf,
    decodeInside: textOf,
    tokenText: (id) => {
      const token = tokenOf(id);
      return added.has(id) ? token : kind.tokenText(token);
    },
  };
}

/** Text to ids without special tokens. */
function encoder(tokenizer: Tokenizer): (text: string) => number[] {
  const whole = (text: string): number[] => tokenizer.encode(text, { add_special_tokens: false }).ids;
  if (!(tokenizer.pre_tokenizer instanceof ByteLevelPreTokenizer)) return whole;
  tokenizer.pre_tokenizer.pattern = GPT2_WORDS;
  return wordwise(tokenizer, whole);
}

/** Words kept per tokenizer; a corpus of 10,000 abstracts has fewer. */
const WORDS_KEPT = 200_000;

/**
 * Encodes word by word with a memory of words already seen, which a corpus repeats endlessly. A word of the
 * pre-tokenisation is encoded independently of its neighbours, so the ids are those of `whole` exactly;
 * texts with special tokens, and tokenizers that change the text first, are left to it.
 */
function wordwise(tokenizer: Tokenizer, whole: (text: string) => number[]): (text: string) => number[] {
  const splitter = tokenizer.pre_tokenizer;
  const plain = splitter instanceof ByteLevelPreTokenizer && splitter.use_regex && !splitter.add_prefix_space;
  if (!plain || tokenizer.normalizer !== null) return whole;
  const special = [...tokenizer.get_added_tokens_decoder().values()].map(({ content }) => content);
  const known = new Map<string, readonly number[]>();
  return (text) => {
    if (special.some((content) => text.includes(content))) return whole(text);
    const ids: number[] = [];
    for (const [word] of text.matchAll(GPT2_WORDS)) {
      let pieces = known.get(word);
      if (pieces === undefined) {
        pieces = whole(word);
        if (known.size >= WORDS_KEPT) known.clear();
        known.set(word, pieces);
      }
      for (const id of pieces) ids.push(id);
    }
    return ids;
  };
}

function load(files: TokenizerFiles, json: TokenizerJson): Tokenizer {
  try {
    return new Tokenizer(json, files.config);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new FormatError(
      'TOKENIZER_DAMAGED',
      `${files.path} is no tokenizer that Engram can read: ${reason}.`,
      'Get the file again, or save the tokenizer with transformers.',
      error,
    );
  }
}

function unknownId(id: number, vocabSize: number): UserInputError {
  return new UserInputError(
    'TOKEN_ID_UNKNOWN',
    `The token id ${id} is not in the vocabulary of ${vocabSize} tokens.`,
    `Use ids from 0 to ${vocabSize - 1}.`,
  );
}
