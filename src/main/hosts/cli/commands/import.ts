import { basename, resolve } from 'node:path';
import { toEngramError, UserInputError } from '../../../../shared/errors/index.ts';
import { planImport } from '../../../importers/index.ts';
import { importJob } from '../../../jobs/import.ts';
import { nameOf } from '../../paths.ts';
import type { CommandContext, CommandDefinition } from '../command.ts';
import { withStudy } from '../study.ts';
import { importQuery } from './import-query.ts';

interface ImportFlags {
  readonly map: readonly string[];
  readonly query?: string;
  readonly countOnly?: true;
}

export const importCommand: CommandDefinition = (program, run) => {
  program
    .command('import')
    .description(
      'import abstracts: PubMed XML (also .gz), nbib, RIS, CSV, Excel, JSON lines, folders of them',
    )
    .argument('<study>', 'study folder; created where there is none')
    .argument('[files...]', 'files and folders; a file beside its .md5 is checked first')
    .option(
      '--map <column=field>',
      'what a column of a table holds; may be repeated',
      (value: string, all: string[]) => [...all, value],
      [],
    )
    .option('--query <search>', 'import what a PubMed search finds, instead of files')
    .option('--count-only', 'with --query: say what PubMed finds, fetch nothing')
    .action(run(importFiles));
};

async function importFiles(
  context: CommandContext,
  folder: string,
  names: string[],
  flags: ImportFlags,
): Promise<void> {
  const { terminal } = context;
  const { query, countOnly } = flags;
  if ((query === undefined) === (names.length === 0)) {
    throw new UserInputError(
      'IMPORT_WHAT',
      query === undefined ? 'There is nothing to import.' : 'Files and a search are two imports.',
      'Name files, or give a PubMed search with --query.',
    );
  }
  if (query !== undefined) {
    await importQuery(context, folder, { query, countOnly: countOnly === true });
    return;
  }
  const plan = await planImport(names.map((name) => ({ path: resolve(name), name: basename(name) })));
  await withStudy(context, {}, folder, { name: nameOf(resolve(folder)) }, async ({ context: services }) => {
    const { study, queue } = services.session.require();
    for (const note of plan.notes) terminal.say(note);
    const before = new Set(study.sources.list().map((source) => source.id));
    const { id } = queue.start(importJob, {
      files: [...plan.files],
      notes: [...plan.notes],
      columns: [...flags.map],
    });
    const failure = await queue.wait(id).then(
      () => null,
      (error: unknown) => toEngramError(error),
    );
    const sources = study.sources.list().filter((source) => !before.has(source.id));
    if (terminal.json) terminal.result({ study: study.folder, complete: failure === null, sources });
    for (const s of sources) {
      terminal.say(
        `${s.name}: ${s.read} read, ${s.added} added, ${s.duplicates} copies, ${s.rejected} rejected (${s.status})`,
      );
    }
    if (failure !== null) throw failure;
  });
}
