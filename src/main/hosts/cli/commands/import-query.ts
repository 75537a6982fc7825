import { resolve } from 'node:path';
import { nameOf } from '../../paths.ts';
import type { CommandContext } from '../command.ts';
import { withStudy } from '../study.ts';

export interface QueryFlags {
  readonly query: string;
  readonly countOnly: boolean;
}

/** Counts a PubMed search, says how PubMed understood it, and imports what it finds. */
export async function importQuery(context: CommandContext, folder: string, flags: QueryFlags): Promise<void> {
  const { terminal } = context;
  await withStudy(
    context,
    {},
    folder,
    { name: nameOf(resolve(folder)) },
    async ({ client, context: { session }, pubmed }) => {
      const found = await client.pubmed.count({ query: flags.query });
      terminal.note(
        `${found.count.toLocaleString('en')} articles match, understood as: ${found.translation}`,
      );
      for (const warning of found.warnings) terminal.note(warning);
      if (flags.countOnly || found.count === 0) {
        terminal.result({ ...found });
        return;
      }
      const { study, queue } = session.require();
      const { id } = queue.start(pubmed.job, { query: flags.query });
      const { job } = await queue.wait(id);
      const source = study.sources.list().at(-1);
      if (terminal.json && source !== undefined) {
        terminal.result({ study: study.folder, source, search: study.pubmed.summary(source.id) ?? null });
      }
      terminal.say(`${source?.name ?? 'PubMed'}: ${job.summary ?? ''}`);
    },
  );
}
