import { z } from 'zod';
import { PairId, PairSetId, Timestamp } from './ids.ts';

/** A prompt as text, or as token ids used exactly as given. */
export const Prompt = z.union([
  z.string().min(1),
  z.object({ ids: z.array(z.number().int().nonnegative()).min(1) }),
]);
export type Prompt = z.infer<typeof Prompt>;

/** One alternative of an answer set: text (never given a space of ours) or token ids. */
export const Answer = z.union([z.string().min(1), z.array(z.number().int().nonnegative()).min(1)]);
export type Answer = z.infer<typeof Answer>;

const Span = z.tuple([z.number().int().nonnegative(), z.number().int().positive()]);
const Spans = z.record(z.string(), Span);

/** One line of PAIRS.jsonl. */
export const PairLine = z.object({
  id: z.string().min(1),
  clean: Prompt,
  corrupted: Prompt,
  answer: z.array(Answer).min(1),
  wrong: z.array(Answer).min(1),
  /** Question type: definitional, associative, causal, control ... */
  type: z.string().optional(),
  /** Cluster for statistics; default the id. */
  item: z.string().optional(),
  answer_mode: z.enum(['bag', 'first', 'sequence']).default('bag'),
  /** Where the metric is read: `last`, an index (negative counts from the end) or a span's name. */
  read: z.union([z.literal('last'), z.number().int(), z.string().min(1)]).default('last'),
  /** Names of the spans, or indices, that Gaussian noise corrupts. */
  key: z.union([z.string(), z.array(z.number().int().nonnegative())]).optional(),
  spans: z.object({ clean: Spans.default({}), corrupted: Spans.default({}) }).optional(),
  /** A third prompt whose activations are pasted (source `prompt`). */
  source: Prompt.optional(),
});
export type PairLine = z.infer<typeof PairLine>;

export const QUESTION_TYPES = ['definitional', 'associative', 'causal', 'control'] as const;

export const Pair = z.object({
  id: PairId,
  setId: PairSetId,
  ordinal: z.number().int().nonnegative(),
  line: PairLine,
  editedAt: Timestamp,
});
export type Pair = z.infer<typeof Pair>;

export const PairSet = z.object({
  id: PairSetId,
  name: z.string(),
  version: z.number().int().positive(),
  /** Frozen versions are immutable; sweeps refer to frozen content by hash. */
  frozen: z.boolean(),
  createdAt: Timestamp,
  count: z.number().int().nonnegative(),
});
export type PairSet = z.infer<typeof PairSet>;

/** A token of a prompt under one tokenizer. */
export const Token = z.object({ id: z.number().int().nonnegative(), text: z.string() });
export type Token = z.infer<typeof Token>;

/** A trap of METHODS section 4, raised where it arises. */
export const PairFlag = z.object({
  code: z.enum([
    'unequal-length',
    'identical-prompts',
    'multi-token-answer',
    'answer-in-prompt',
    'gap-near-zero',
    'wrong-preferred',
    'read-after-final-stop',
    'overlapping-answers',
    'bare-answer',
    'foreign-targets',
    'several-differences',
    'too-long',
    'unknown-span',
  ]),
  level: z.enum(['error', 'warning']),
  /** The fact, in one line with its numbers. */
  fact: z.string(),
  /** The consequence or fix, in one sentence. */
  consequence: z.string(),
});
export type PairFlag = z.infer<typeof PairFlag>;

/** Both prompts and the answers as a tokenizer sees them. */
export const PairTokens = z.object({
  clean: z.array(Token),
  corrupted: z.array(Token),
  answer: z.array(z.array(Token)),
  wrong: z.array(z.array(Token)),
  /** Indices (of equal-length prompts) where the ids differ. */
  differing: z.array(z.number().int().nonnegative()),
  read: z.number().int().nonnegative(),
});
export type PairTokens = z.infer<typeof PairTokens>;

const NextToken = z.object({
  token: Token,
  logit: z.number(),
  probability: z.number(),
  role: z.enum(['right', 'wrong', 'other']),
});
/** The live check: what the model says of both prompts at the read position. */
export const PairCheck = z.object({
  tokens: PairTokens,
  flags: z.array(PairFlag),
  /** Null where the pair cannot be run (see the error flags). */
  run: z
    .object({
      cleanLogitDiff: z.number(),
      corruptedLogitDiff: z.number(),
      cleanProbability: z.number(),
      corruptedProbability: z.number(),
      cleanTop: z.array(NextToken),
      corruptedTop: z.array(NextToken),
      milliseconds: z.number(),
    })
    .nullable(),
});
export type PairCheck = z.infer<typeof PairCheck>;

/** A replacement of the right token length, from the study's own words. */
export const LengthMatch = z.object({
  /** What takes the place of the corrupted words that differ. */
  text: z.string(),
  /** The corrupted prompt with it; as many tokens as the clean one. */
  corrupted: z.string(),
  /** Where it comes from. */
  from: z.enum(['term', 'pair', 'abstract']),
  /** How often it stands in the abstracts that were read. */
  count: z.number().int().nonnegative(),
});
export type LengthMatch = z.infer<typeof LengthMatch>;
