import type { ModelConfig } from '../../shared/domain/index.ts';

/** One tensor inside a safetensors file: where its bytes lie, as ONNX external data wants it. */
export interface TensorEntry {
  readonly name: string;
  readonly dtype: 'F32' | 'F16' | 'BF16' | 'F64' | 'I64' | 'I32' | 'U8' | 'BOOL';
  readonly shape: readonly number[];
  /** Absolute path of the file that holds it. */
  readonly file: string;
  /** Byte offset from the start of the file, and length in bytes. */
  readonly offset: number;
  readonly length: number;
}

/** A Hugging Face folder, checked: every weight the family needs is there in the right shape. */
export interface ModelFolder {
  readonly folder: string;
  readonly config: ModelConfig;
  /** Keyed by canonical name (GPT-2: `wte.weight`, `h.0.attn.c_attn.weight` ..., no `transformer.` prefix). */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** SHA-256 of the weight file(s). */
  weightsHash(): Promise<string>;
}

/** Text to ids and back, without a space ever added that the model's own tokenizer does not add. */
export interface TextTokenizer {
  readonly description: string;
  readonly vocabSize: number;
  readonly bosTokenId: number | null;
  readonly eosTokenId: number | null;
  /** Whether the model was trained with the beginning-of-text token before a text, as its files say. */
  readonly addsBos: boolean;
  /** A text from its beginning. No special tokens are added. */
  encode(text: string): number[];
  /**
   * Text that stands inside a longer one, such as an answer: differs from `encode` where a tokenizer writes
   * the beginning of a text as if a space stood before it (SentencePiece).
   */
  encodeInside(text: string): number[];
  /** Text of ids from the beginning of a text. */
  decode(ids: readonly number[]): string;
  /** Text of ids that go on from others. */
  decodeInside(ids: readonly number[]): string;
  /** One token as it stands in text (`Ġthe` -> ` the`); bytes that are no character shown as `⟨E2⟩`. */
  tokenText(id: number): string;
}

/** Sequences of equal length, row-major [count × length]; `lengths[i]` real tokens, the rest is padding. */
export interface TokenBlock {
  readonly ids: Int32Array;
  readonly lengths: Int32Array;
  readonly count: number;
  readonly length: number;
}
