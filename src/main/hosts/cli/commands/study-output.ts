import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import { RecordFilter } from '../../../../shared/contracts/index.ts';
import { SweepId } from '../../../../shared/domain/index.ts';
import { EngineError, UserInputError } from '../../../../shared/errors/index.ts';
import { exportTable, ExportWhat } from '../../../services/export.ts';
import { exportSteps } from '../../../jobs/export-records.ts';
import { verifyStudy } from '../../../services/verify.ts';
import { atOnce } from '../../../store/index.ts';
import type { CommandContext, CommandDefinition } from '../command.ts';
import { oneOf, wholeNumber } from '../parse.ts';
import { withStudy } from '../study.ts';

interface ExportFlags {
  readonly what: string;
  readonly format: string;
  readonly sweep?: string;
  readonly out?: string;
}

const Format = z.enum(['jsonl', 'csv', 'ris', 'xlsx']);
const TableFormat = Format.extract(['jsonl', 'csv']);
/** What only lists of records are written as. */
const RecordOnly = Format.extract(['ris', 'xlsx']);

export const exportCommand: CommandDefinition = (program, run) => {
  program
    .command('export')
    .description('write a table of a study')
    .argument('<study>', 'study folder')
    .requiredOption('--what <table>', 'records, pairs, effects or training')
    .option('--format <name>', 'jsonl or csv; records also ris or xlsx', 'jsonl')
    .option('--sweep <n>', 'for effects: the sweep; default: the newest complete one')
    .option('--out <file>', 'write here instead of to the terminal')
    .action(
      run(async (context: CommandContext, folder: string, flags: ExportFlags) => {
        const { terminal } = context;
        const what = oneOf('--what', ExportWhat, flags.what);
        const format = oneOf('--format', Format, flags.format);
        const sweep =
          flags.sweep === undefined ? null : SweepId.parse(wholeNumber('--sweep', flags.sweep, 1));
        await withStudy(context, {}, folder, null, async ({ context: services }) => {
          const { study } = services.session.require();
          const recordFormat = RecordOnly.safeParse(format);
          if (recordFormat.success) {
            const out = recordsFile(what, recordFormat.data, flags.out);
            const rows = atOnce(exportSteps(study, RecordFilter.parse({}), recordFormat.data, out));
            if (terminal.json) terminal.result({ out, what, format, rows });
            terminal.say(`${rows} rows written to ${out}`);
            return;
          }
          const table = TableFormat.parse(format);
          const { text, rows } = exportTable(study, what, table, sweep);
          if (flags.out === undefined) {
            terminal.raw(text);
            return;
          }
          await writeFileAtomic(resolve(flags.out), text);
          if (terminal.json) terminal.result({ out: resolve(flags.out), what, format, rows });
          terminal.say(`${rows} rows written to ${flags.out}`);
        });
      }),
    );
};

/** Where a list of records goes. Throws a UserInputError (OPTION_INVALID) for other tables, and without a file. */
function recordsFile(what: ExportWhat, format: string, out: string | undefined): string {
  if (what !== 'records' || out === undefined) {
    throw new UserInputError(
      'OPTION_INVALID',
      `--format ${format} is for lists of records, and needs a file.`,
      'Add --what records and --out FILE, or choose csv or jsonl.',
    );
  }
  return resolve(out);
}

export const reportCommand: CommandDefinition = (program, run) => {
  program
    .command('report')
    .description('write the report of a study as one self-contained page')
    .argument('<study>', 'study folder')
    .option('--format <name>', 'html', 'html')
    .option('--out <dir>', 'folder; default: the study')
    .action(
      run(
        async (
          context: CommandContext,
          folder: string,
          flags: { readonly format: string; readonly out?: string },
        ) => {
          const { terminal } = context;
          oneOf('--format', z.enum(['html']), flags.format);
          await withStudy(context, {}, folder, null, async ({ client }) => {
            const { html, warnings } = await client.report.preview({});
            const out = resolve(flags.out ?? folder);
            mkdirSync(out, { recursive: true });
            const path = join(out, 'report.html');
            await writeFileAtomic(path, html);
            if (terminal.json) terminal.result({ report: path, warnings });
            terminal.say(path);
          });
        },
      ),
    );
};

export const verifyCommand: CommandDefinition = (program, run) => {
  program
    .command('verify')
    .description('check a study: database, files, and effects computed anew')
    .argument('<study>', 'study folder')
    .option('--rerun <n>', 'effects to compute again', '0')
    .action(
      run(async (context: CommandContext, folder: string, flags: { readonly rerun: string }) => {
        const { terminal } = context;
        const rerun = wholeNumber('--rerun', flags.rerun, 0);
        const result = await withStudy(context, {}, folder, null, ({ context: services, compute }) =>
          verifyStudy(services.session.require().study, compute, rerun),
        );
        if (terminal.json) terminal.result(result);
        terminal.say(`Database   ${result.database.length === 0 ? 'sound' : result.database.join('; ')}`);
        terminal.say(
          `Artifacts  ${result.artifacts.checked} checked, ${result.artifacts.damaged.length} damaged`,
        );
        terminal.say(
          `Effects    ${result.effects.checked} computed again, largest difference ${result.effects.maxError ?? 0}`,
        );
        if (!result.ok) {
          const faults = [...result.database, ...result.artifacts.damaged, ...result.effects.different];
          throw new EngineError(
            'VERIFY_FAILED',
            `The study is not sound: ${faults.slice(0, 3).join('; ')}.`,
            'Restore it from a copy.',
          );
        }
      }),
    );
};
