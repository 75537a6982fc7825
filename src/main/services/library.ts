import { basename } from 'node:path';
import type { EngramContract, ServiceHandlers } from '../../shared/contracts/index.ts';
import { csvText } from '../exporters/csv.ts';
import { parseColumnMap, planImport, previewTable } from '../importers/index.ts';
import { importJob } from '../jobs/import.ts';
import type { ServiceContext } from './context.ts';

/** Rejects that are shown; the file has all of them. */
const SHOWN_REJECTS = 500;

/** Implements `library`: imports and what became of each. */
export function createLibraryService({
  session,
  files,
}: ServiceContext): ServiceHandlers<EngramContract['library']> {
  const named = (handle: string) => {
    const path = files.resolve(handle);
    return { path, name: basename(path) };
  };
  return {
    sources: () => session.require().study.sources.list(),
    import: async ({ files: handles, columns }) => {
      const { queue } = session.require();
      // A map that says nothing is the caller's mistake, not a fault of the file.
      parseColumnMap(columns);
      const plan = await planImport(handles.map(named));
      const job = queue.start(importJob, { files: [...plan.files], notes: [...plan.notes], columns });
      return { jobId: job.id };
    },
    preview: ({ file }) => {
      const { path, name } = named(file);
      return previewTable(path, { name });
    },
    rejects: ({ sourceId }) => session.require().study.sources.rejects(sourceId).slice(0, SHOWN_REJECTS),
    rejectsFile: ({ sourceId }) => {
      const { sources } = session.require().study;
      const rows = sources.rejects(sourceId).map((r) => [r.line, r.key, r.reason]);
      return files.offerDownload({
        content: { bytes: new TextEncoder().encode(csvText(['line', 'key', 'reason'], rows)) },
        name: `${sources.get(sourceId).name}.rejected.csv`,
        mime: 'text/csv',
      });
    },
  };
}
