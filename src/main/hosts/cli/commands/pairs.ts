import { resolve } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import { KeepRule, TASK_IDS, TaskSpec, type TaskResult } from '../../../../shared/domain/index.ts';
import { FormatError } from '../../../../shared/errors/index.ts';
import { createGapReader } from '../../../services/pairs/gaps.ts';
import { generatePairs } from '../../../services/pairs/generate.ts';
import { formatPairs } from '../../../services/pairs/parse.ts';
import type { CommandContext, CommandDefinition } from '../command.ts';
import { openFolderModel, withCompute, type ComputeFlags } from '../folder-model.ts';
import { oneOf, parseBos, readTextFile, wholeNumber } from '../parse.ts';
import type { Terminal } from '../terminal.ts';

interface GenerateFlags extends ComputeFlags {
  readonly model: string;
  readonly spec?: string;
  readonly count?: string;
  readonly seed?: string;
  readonly keep: string;
  readonly bos: string;
  readonly out?: string;
}

export const pairsCommand: CommandDefinition = (program, run) => {
  const pairs = program.command('pairs').description('draw pairs of a task');
  pairs
    .command('generate')
    .description('draw pairs of a task, checked against the tokenizer of a model')
    .argument('<task>', TASK_IDS.join(', '))
    .requiredOption('--model <dir>', 'Hugging Face model folder')
    .option('--spec <file>', 'settings of the task as JSON')
    .option('--count <n>', 'pairs')
    .option('--seed <n>', 'seed of the draws')
    .option('--keep <rule>', 'all, prefers-right or top-1', 'all')
    .option('--bos <choice>', 'auto, yes or no', 'auto')
    .option('--out <file>', 'write here instead of to the terminal')
    .option('--threads <n>', 'threads; 0 = one per core')
    .option('--provider <name>', 'cpu, cuda, dml or webgpu')
    .action(run(generate));
};

async function generate(context: CommandContext, name: string, flags: GenerateFlags): Promise<void> {
  const { terminal } = context;
  const task = oneOf('TASK', z.enum(TASK_IDS), name);
  const keep = oneOf('--keep', KeepRule, flags.keep);
  const spec = readSpec(task, flags);
  const model = await openFolderModel(flags.model, parseBos(flags.bos));
  // The compute process starts with the first prompt that the model has to judge.
  const result = await withCompute(context, flags, (compute) =>
    generatePairs({
      spec,
      keep,
      preview: false,
      context: model.context,
      folder: model.folder,
      gaps: createGapReader(compute),
    }),
  );
  report(terminal, result);
  const text = formatPairs(result.lines);
  if (flags.out !== undefined) await writeFileAtomic(resolve(flags.out), text);
  if (terminal.json) terminal.result(result);
  else if (flags.out === undefined) terminal.raw(text);
  else terminal.say(`${result.lines.length} pairs written to ${flags.out}`);
}

/** The settings of a task: those of the file, over them those of the command line. */
function readSpec(task: TaskSpec['task'], flags: GenerateFlags): TaskSpec {
  const from = flags.spec ?? 'the command line';
  const own = flags.spec === undefined ? {} : readJson(flags.spec);
  const parsed = TaskSpec.safeParse({
    ...(typeof own === 'object' ? own : {}),
    task,
    ...(flags.count === undefined ? {} : { count: wholeNumber('--count', flags.count, 1) }),
    ...(flags.seed === undefined ? {} : { seed: wholeNumber('--seed', flags.seed, 0) }),
  });
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new FormatError(
    'TASK_INVALID',
    `The task ${task} of ${from} is incomplete: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}.`,
    'See docs/cli.md for its settings.',
  );
}

function readJson(path: string): unknown {
  const text = readTextFile(path);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new FormatError('TASK_INVALID', `${path} is not valid JSON.`, 'Correct it and try again.', error);
  }
}

function report(terminal: Terminal, { drawn, asked, dropped, shortage, judged }: TaskResult): void {
  terminal.note(`${drawn} of ${asked} pairs drawn`);
  if (judged !== null) terminal.note(`The model read ${judged.read} and keeps ${judged.kept}`);
  for (const { count, reason, examples } of dropped) {
    terminal.note(`Left out ${count}: ${reason} (${JSON.stringify(examples[0] ?? '')})`);
  }
  if (shortage !== null) terminal.note(shortage);
}
