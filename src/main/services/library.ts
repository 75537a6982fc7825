import { basename } from 'node:path';
import type { EngramContract, ServiceHandlers } from '../../shared/contracts/index.ts';
import { csvText } from '../exporters/csv.ts';
import { importJob } from '../jobs/import.ts';
import type { ServiceContext } from './context.ts';

/** Implements `library`: imports and what became of each. */
export function createLibraryService({
  session,
  files,
}: ServiceContext): ServiceHandlers<EngramContract['library']> {
  return {
    sources: () => session.require().study.sources.list(),
    import: ({ files: handles }) => {
      const paths = handles.map((handle) => files.resolve(handle));
      const job = session.require().queue.start(importJob, {
        files: paths.map((path) => ({ path, name: basename(path) })),
      });
      return { jobId: job.id };
    },
    rejects: ({ sourceId }) => session.require().study.sources.rejects(sourceId),
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
