import type { Answer, PairLine, Prompt, Token } from '../domain/index.ts';
import { UserInputError } from '../errors/index.ts';

/** The part of a tokenizer that pairs need: text to ids, without a space ever added, and ids to text. */
interface PairTokenizer {
  encode(text: string): number[];
  /** As `encode`, for text that goes on from other text. */
  encodeInside(text: string): number[];
  tokenText(id: number): string;
}

/** What is needed to turn a pair into token ids for one model. */
export interface EncodeContext {
  /** Null for a model folder without one: then only `{"ids": […]}` prompts work. */
  readonly tokenizer: PairTokenizer | null;
  /** Put before prompts given as text; null = no BOS. Prompts given as ids are used exactly as given. */
  readonly bos: number | null;
  readonly vocabSize: number;
  readonly nCtx: number;
}

export type BosChoice = 'auto' | 'yes' | 'no';

/**
 * The BOS token to prepend, or null. `auto` does what the model's own tokenizer does (`addsBos`): Llama with,
 * GPT-2 without. Throws BOS_UNKNOWN when `yes` is asked of a model that names no BOS token.
 */
export function bosTokenFor(choice: BosChoice, bosTokenId: number | null, addsBos: boolean): number | null {
  if (choice === 'no' || (choice === 'auto' && !addsBos)) return null;
  if (bosTokenId === null) {
    if (choice === 'auto') return null;
    throw new UserInputError(
      'BOS_UNKNOWN',
      'The model names no BOS token.',
      'Use --bos no, or give the prompts as ids.',
    );
  }
  return bosTokenId;
}

/** Token ids of one prompt of pair `id`. */
export function encodePrompt(id: string, prompt: Prompt, context: EncodeContext): number[] {
  if (typeof prompt !== 'string') return checkIds(id, prompt.ids, context.vocabSize);
  const ids = encodeText(id, prompt, context, 'start');
  return context.bos === null ? ids : [context.bos, ...ids];
}

/** Token ids of one alternative of an answer set; text never gets a space of ours. */
function encodeAnswer(id: string, answer: Answer, context: EncodeContext): number[] {
  return typeof answer === 'string'
    ? encodeText(id, answer, context, 'inside')
    : checkIds(id, answer, context.vocabSize);
}

export function encodeAnswers(id: string, answers: readonly Answer[], context: EncodeContext): number[][] {
  return answers.map((answer) => encodeAnswer(id, answer, context));
}

/**
 * Alternatives reduced to the set of ids that the metric scores: `bag` every token of every alternative,
 * `first` the first of each. Each id counts once, in order of appearance.
 */
export function reduceAnswers(alternatives: readonly (readonly number[])[], mode: 'bag' | 'first'): number[] {
  const scored = mode === 'bag' ? alternatives.flat() : alternatives.flatMap((ids) => ids.slice(0, 1));
  return [...new Set(scored)];
}

/** Ids with their text; an id without a tokenizer is shown as `⟨id⟩`. */
export function toTokens(ids: readonly number[], context: EncodeContext): Token[] {
  return ids.map((id) => ({ id, text: context.tokenizer?.tokenText(id) ?? `⟨${id}⟩` }));
}

/** The answer mode that token ids are reduced by; `sequence` shows its first tokens in the live check. */
export function scoringMode(line: Pick<PairLine, 'answer_mode'>): 'bag' | 'first' {
  return line.answer_mode === 'bag' ? 'bag' : 'first';
}

function encodeText(id: string, text: string, context: EncodeContext, where: 'start' | 'inside'): number[] {
  if (context.tokenizer === null) {
    throw new UserInputError(
      'PAIRS_NO_TOKENIZER',
      `Pair “${id}” is written as text, but the model folder has no tokenizer.`,
      'Add tokenizer.json to the model folder, or write the pair as {"ids": […]}.',
    );
  }
  const { tokenizer } = context;
  const ids = where === 'start' ? tokenizer.encode(text) : tokenizer.encodeInside(text);
  if (ids.length === 0) {
    throw new UserInputError(
      'PAIRS_EMPTY_TEXT',
      `Pair “${id}” has a text without tokens.`,
      'Write some text.',
    );
  }
  return checkIds(id, ids, context.vocabSize);
}

function checkIds(id: string, ids: readonly number[], vocabSize: number): number[] {
  const outside = ids.find((token) => token >= vocabSize);
  if (outside !== undefined) {
    throw new UserInputError(
      'PAIRS_ID_RANGE',
      `Pair “${id}” uses token id ${outside}; the model's vocabulary has ${vocabSize}.`,
      'Use ids of this model’s tokenizer.',
    );
  }
  return [...ids];
}
