import type { TokenBlock } from './types.ts';

/** How texts of unequal length become sequences of equal length. */
export interface BlockOptions {
  /** Tokens per sequence. */
  readonly sequenceLength: number;
  /** See `BUILDERS`. */
  readonly mode: 'truncate' | 'chunk';
  /** Ends every text and fills the rest of a sequence; null = texts are not ended and 0 fills. */
  readonly eosTokenId: number | null;
}

export interface BlockResult {
  readonly block: TokenBlock;
  /** Texts that were cut, and tokens of the texts that are in no sequence because of it. */
  readonly cutTexts: number;
  readonly cutTokens: number;
  /** Texts without a token, left out. */
  readonly emptyTexts: number;
}

/** Texts (non-empty, already ended) → sequences of at most `length` tokens. */
type Builder = (texts: readonly (readonly number[])[], length: number) => readonly (readonly number[])[];

const BUILDERS: Readonly<Record<BlockOptions['mode'], Builder>> = {
  /** One sequence a text, cut at `length` (CLAP's code). */
  truncate: (texts, length) => texts.map((text) => text.slice(0, length)),
  /** All texts in a row, cut into full sequences; the last one may be shorter (CLAP's paper). */
  chunk: (texts, length) => {
    const stream = texts.flat();
    const sequences = [];
    for (let at = 0; at < stream.length; at += length) sequences.push(stream.slice(at, at + length));
    return sequences;
  },
};

/**
 * Token ids of texts → one block of sequences for training or evaluation. Each text is followed by the
 * end-of-text token; `lengths` count real tokens, that one included where it fits. Pure.
 */
export function buildBlock(texts: readonly (readonly number[])[], options: BlockOptions): BlockResult {
  const { sequenceLength: length, mode, eosTokenId } = options;
  const filled = texts.filter((text) => text.length > 0);
  const ended = eosTokenId === null ? filled : filled.map((text) => [...text, eosTokenId]);
  const sequences = BUILDERS[mode](ended, length);
  const ids = new Int32Array(sequences.length * length).fill(eosTokenId ?? 0);
  sequences.forEach((sequence, row) => ids.set(sequence, row * length));
  const cut = mode === 'truncate' ? filled.filter((text) => text.length > length) : [];
  return {
    block: {
      ids,
      lengths: Int32Array.from(sequences, (sequence) => sequence.length),
      count: sequences.length,
      length,
    },
    cutTexts: cut.length,
    cutTokens: cut.reduce((sum, text) => sum + text.length - length, 0),
    emptyTexts: texts.length - filled.length,
  };
}
