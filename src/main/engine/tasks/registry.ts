import type { TaskId, TaskSpec, TaskSpecs } from '../../../shared/domain/index.ts';
import { arithmetic } from './arithmetic.ts';
import { clap } from './clap.ts';
import { docstring } from './docstring.ts';
import { pairSource, type PairSource } from './draw.ts';
import { factual, template } from './facts.ts';
import { greaterThan } from './greater-than.ts';
import { induction } from './induction.ts';
import { ioi } from './ioi.ts';
import { TaskTools } from './tools.ts';
import type { Draw, TaskContext } from './types.ts';

/** One generator per task. */
const GENERATORS: {
  readonly [K in TaskId]: (spec: TaskSpecs[K], tools: TaskTools) => Draw;
} = {
  ioi,
  'greater-than': greaterThan,
  docstring,
  arithmetic,
  factual,
  clap,
  induction,
  template,
};

/**
 * Starts a task under a tokenizer: the same spec, tokenizer and offset give the same pairs. Throws
 * UserInputError `TASK_WORDS` or `TASK_SLOT` where no pair could be drawn at all.
 */
export function openTask(spec: TaskSpec, context: TaskContext): PairSource {
  const tools = new TaskTools(context, spec.seed);
  return pairSource(spec.task, generator<TaskId>(spec.task, spec, tools), tools);
}

function generator<K extends TaskId>(task: K, spec: TaskSpecs[K], tools: TaskTools): Draw {
  return GENERATORS[task](spec, tools);
}
