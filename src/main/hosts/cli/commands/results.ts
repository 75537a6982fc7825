import { resolve } from 'node:path';
import { Direction, MetricName, type ExternalSummary } from '../../../../shared/domain/index.ts';
import type { CommandContext, CommandDefinition } from '../command.ts';
import { oneOf } from '../parse.ts';
import { withStudy } from '../study.ts';
import type { Terminal } from '../terminal.ts';

interface ImportFlags {
  readonly name?: string;
  readonly metric?: string;
  readonly direction?: string;
  readonly model?: string;
}

export const resultsCommand: CommandDefinition = (program, run) => {
  const results = program.command('results').description('effects that other programs computed');
  results
    .command('import')
    .description('put a file of effects into a study, to compare with its sweeps')
    .argument('<study>', 'study folder; created where there is none')
    .argument(
      '<file>',
      'tables of effects (JSON), a result of engram patch, or a table of effects (CSV, JSONL)',
    )
    .option('--name <name>', 'name in the study')
    .option('--metric <name>', 'for a file that does not say: which metric')
    .option('--direction <name>', 'for a file that does not say: denoising or noising')
    .option('--model <name>', 'for a file that does not say: the model')
    .action(run(importResults));
  results
    .command('list')
    .description('external results of a study')
    .argument('<study>', 'study folder')
    .action(run(listResults));
};

async function importResults(
  context: CommandContext,
  folder: string,
  file: string,
  flags: ImportFlags,
): Promise<void> {
  const { terminal } = context;
  const metric = flags.metric === undefined ? null : oneOf('--metric', MetricName, flags.metric);
  const direction = flags.direction === undefined ? null : oneOf('--direction', Direction, flags.direction);
  await withStudy(context, {}, folder, { name: 'External results' }, async ({ client, files }) => {
    const { handle } = files.register(resolve(file));
    const { name = null, model = null } = flags;
    const result = await client.results.import({ file: handle, name, metric, direction, model });
    if (terminal.json) terminal.result(result);
    else describe(terminal, result);
  });
}

async function listResults(context: CommandContext, folder: string): Promise<void> {
  const { terminal } = context;
  await withStudy(context, {}, folder, null, async ({ client }) => {
    const results = await client.results.list({});
    if (terminal.json) terminal.result(results);
    else for (const result of results) describe(terminal, result);
  });
}

function describe(terminal: Terminal, result: ExternalSummary): void {
  const { label, name, tables, source, file, direction, remarks } = result;
  terminal.say(
    `${label} ${name}: ${tables.length} tables, ${direction}, from ${source === '' ? file : source}`,
  );
  for (const { name: table, metric, layers, columns } of tables) {
    terminal.say(`  ${table}: ${metric}, ${layers} × ${columns}`);
  }
  for (const remark of remarks) terminal.say(`  ${remark}`);
}
