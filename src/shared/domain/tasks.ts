import { z } from 'zod';
import { PairLine } from './pairs.ts';

const common = {
  /** Pairs asked for; fewer come where the task holds no more that pass its conditions. */
  count: z.number().int().min(1).max(2000).default(50),
  seed: z.number().int().min(0).max(0xffffffff).default(0),
  /** Question type written into each pair; empty = none. */
  type: z.string().trim().max(60).default(''),
};
/** Words of the user's own in place of the built-in list; empty = the built-in list. */
const words = z.array(z.string().trim().min(1).max(60)).max(2000).default([]);
/** Each pair also with clean and corrupted exchanged: two lines of one item. */
const bothWays = z.boolean().default(false);

/** Indirect object identification (Wang et al. 2023). */
const IoiSpec = z.object({
  task: z.literal('ioi'),
  ...common,
  order: z.enum(['BABA', 'ABBA', 'both']).default('BABA'),
  /** S2 → IO; S1 and IO → unrelated names; all three → new names. */
  corruption: z.enum(['s2-io', 'names', 'abc']).default('s2-io'),
  bothWays,
  names: words,
  places: words,
  objects: words,
});

/** Greater-than (Hanna et al. 2023). */
const GreaterThanSpec = z.object({ task: z.literal('greater-than'), ...common, nouns: words });

/** Docstring (Heimersheim & Janiak 2023). */
const DocstringSpec = z.object({
  task: z.literal('docstring'),
  ...common,
  /** The answer's argument in the definition, or the arguments that the docstring has named so far. */
  corruption: z.enum(['definition', 'docstring']).default('definition'),
  bothWays,
  names: words,
});

/** Two-operand arithmetic with worked examples (Stolfo et al. 2023). */
const ArithmeticSpec = z.object({
  task: z.literal('arithmetic'),
  ...common,
  operators: z
    .array(z.enum(['plus', 'minus', 'times']))
    .min(1)
    .default(['plus', 'minus']),
  /** Worked examples before the question, the same in both prompts. */
  shots: z.number().int().min(0).max(8).default(2),
  /** Largest operand. */
  max: z.number().int().min(2).max(999).default(50),
  bothWays,
});

/** Facts of the built-in tables: pairs of one relation whose subjects have equally many tokens. */
const FactualSpec = z.object({
  task: z.literal('factual'),
  ...common,
  relations: z
    .array(z.enum(['capital', 'language', 'continent', 'currency']))
    .min(1)
    .default(['capital', 'language', 'continent']),
  bothWays,
});

const Questions = z.array(
  z.object({
    question: z.string().trim().min(1),
    right: z.string().trim().min(1),
    wrong: z.string().trim().min(1),
    type: z.string().trim().default(''),
  }),
);

/** Question ⊕ " " ⊕ answer (Bahador 2025). */
const ClapSpec = z.object({
  task: z.literal('clap'),
  ...common,
  /** Empty: the three published ones. */
  questions: Questions.default([]),
  /** Targets of the public script, the answers in context, or only the tokens that one of them holds. */
  targets: z.enum(['published', 'answers', 'disjoint']).default('answers'),
  read: z.enum(['last', 'first-difference']).default('last'),
  /** Pairs of unequal length stay, flagged, instead of being dropped. */
  keepUnequal: z.boolean().default(true),
});

/** In-context copy (Olsson et al. 2022): what followed a token before follows it again. */
const InductionSpec = z.object({
  task: z.literal('induction'),
  ...common,
  /** Tokens of the sequence before it begins again. */
  period: z.number().int().min(6).max(60).default(8),
  /** Two tokens change places before their followers, or the follower of the asked token is another. */
  corruption: z.enum(['predecessors', 'follower']).default('predecessors'),
  bothWays,
  symbols: words,
});

/** A template of the user's: {subject} and any number of other slots. */
const TemplateSpec = z.object({
  task: z.literal('template'),
  ...common,
  /** Clean prompt with `{subject}`, which is what the corrupted one changes, and slots `{name}`. */
  template: z.string().min(1),
  /** What stands for {subject}, with the answer it asks for. */
  subjects: z.array(z.object({ term: z.string().trim().min(1), answer: z.string().trim().min(1) })).min(2),
  /** Terms of the other slots, the same in both prompts of a pair. */
  slots: z.record(z.string().min(1), z.array(z.string().trim().min(1)).min(1)).default({}),
  /** Answers of several tokens: dropped, scored by their first token, or as whole sequences. */
  longAnswers: z.enum(['drop', 'first', 'sequence']).default('drop'),
  bothWays,
});

/** What a generator is asked for; one shape per task of METHODS section 8. */
export const TaskSpec = z.discriminatedUnion('task', [
  IoiSpec,
  GreaterThanSpec,
  DocstringSpec,
  ArithmeticSpec,
  FactualSpec,
  ClapSpec,
  InductionSpec,
  TemplateSpec,
]);
export type TaskSpec = z.infer<typeof TaskSpec>;
export type TaskId = TaskSpec['task'];
/** Task id → its spec. */
export type TaskSpecs = { readonly [S in TaskSpec as S['task']]: S };

export const TASK_IDS = [
  'ioi',
  'greater-than',
  'docstring',
  'arithmetic',
  'factual',
  'clap',
  'induction',
  'template',
] as const satisfies readonly TaskId[];

/** What a generator left out, and why. */
export const TaskDrop = z.object({
  reason: z.string(),
  count: z.number().int().positive(),
  /** The first few. */
  examples: z.array(z.string()),
});
export type TaskDrop = z.infer<typeof TaskDrop>;

/** Which of the drawn pairs stay, judged by the model on the clean prompt. */
export const KeepRule = z.enum(['all', 'prefers-right', 'top-1']);
export type KeepRule = z.infer<typeof KeepRule>;

/** What a generator drew under one model's tokenizer. */
export const TaskResult = z.object({
  /** The pairs; of a preview the first ones. */
  lines: z.array(PairLine),
  /** Pairs drawn in all. */
  drawn: z.number().int().nonnegative(),
  asked: z.number().int().positive(),
  dropped: z.array(TaskDrop),
  /** Why fewer than asked for came; null where all came. */
  shortage: z.string().nullable(),
  /** How many the model read for the keep rule, and how many of them stayed; null where it read none. */
  judged: z.object({ read: z.number().int(), kept: z.number().int() }).nullable(),
});
export type TaskResult = z.infer<typeof TaskResult>;
