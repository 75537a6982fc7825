import type { PairLine } from '../../../shared/domain/index.ts';

/** What a generator needs of a tokenizer. No special tokens, no space added. */
export interface TaskTokenizer {
  encode(text: string): number[];
  /** Text that goes on from other text. */
  encodeInside(text: string): number[];
  tokenText(id: number): string;
}

/** The model a task is drawn for. */
export interface TaskContext {
  readonly tokenizer: TaskTokenizer;
  /** Tokens put before each prompt (1 with a BOS, else 0): positions of spans count them. */
  readonly offset: number;
  /** Tokens the model reads at most. */
  readonly nCtx: number;
}

/** Part of a prompt: text, or a named span with its text. A span begins with its leading space. */
export type Piece = string | readonly [span: string, text: string];

/** A pair as a generator proposes it, before it is tokenized. */
export interface Draft {
  readonly clean: readonly Piece[];
  readonly corrupted: readonly Piece[];
  /** Alternatives as they stand in text, leading space included. */
  readonly answer: readonly string[];
  readonly wrong: readonly string[];
  readonly mode: PairLine['answer_mode'];
  /** Whether a pair with an answer of several tokens is dropped. */
  readonly singleAnswers: boolean;
  /** Spans of the clean prompt that noise corrupts; empty = every differing token. */
  readonly key: readonly string[];
  /** Cluster: both directions and copies of one template share it. */
  readonly item: string;
  readonly type?: string;
  /** Read position: `last`, or the first token that differs. */
  readonly read?: 'first-difference';
  /** Whether prompts of unequal length pass. */
  readonly keepUnequal?: boolean;
  /** Whether the same prompts may come again, as another row of their item. */
  readonly repeats?: boolean;
  /** The same two prompts exchanged. */
  readonly reverse?: Omit<Draft, 'reverse'>;
}

/** Draws the next candidate; null when the task holds no more. */
export type Draw = () => Draft | null;
