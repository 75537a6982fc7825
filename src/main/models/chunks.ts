import type { TokenBlock } from './types.ts';

/** How texts of unequal length become sequences of equal length. */
export interface BlockOptions {
  /** Tokens per sequence. */
  readonly sequenceLength: number;
  /** See `BUILDERS`. */
  readonly mode: 'truncate' | 'chunk' | 'pack';
  /** Fills the rest of a sequence (and ends texts); null = texts are not ended and 0 fills. */
  readonly eosTokenId: number | null;
  /** Ends every text with the end-of-text token; default true. */
  readonly endTexts?: boolean;
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
  /** Every text cut into sequences of its own, the last one shorter (CLAP's paper, Table 1). */
  chunk: (texts, length) => texts.flatMap((text) => pieces(text, length)),
  /** All texts in a row, cut into full sequences; the very last one may be shorter. */
  pack: (texts, length) => pieces(texts.flat(), length),
};

function pieces(ids: readonly number[], length: number): number[][] {
  const cut = [];
  for (let at = 0; at < ids.length; at += length) cut.push(ids.slice(at, at + length));
  return cut;
}

/**
 * Token ids of texts → one block of sequences for training or evaluation. Unless `endTexts` is false each text
 * is followed by the end-of-text token; `lengths` count real tokens, that one included where it fits. Pure.
 */
export function buildBlock(texts: readonly (readonly number[])[], options: BlockOptions): BlockResult {
  const { sequenceLength: length, mode, eosTokenId, endTexts = true } = options;
  const filled = texts.filter((text) => text.length > 0);
  const ended = eosTokenId === null || !endTexts ? filled : filled.map((text) => [...text, eosTokenId]);
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
