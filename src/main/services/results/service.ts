import { basename, extname } from 'node:path';
import type { EngramContract, ServiceHandlers } from '../../../shared/contracts/index.ts';
import { gridOf, type ExternalResult, type ExternalSummary } from '../../../shared/domain/index.ts';
import { UserInputError } from '../../../shared/errors/index.ts';
import { readResults } from '../../importers/index.ts';
import type { Study } from '../../store/index.ts';
import type { ServiceContext } from '../context.ts';
import { externalGrid } from './grid.ts';

/** Implements `results`: effects that other programs computed. */
export function createResultsService({
  session,
  files,
  emit,
}: ServiceContext): ServiceHandlers<EngramContract['results']> {
  const study = (): Study => session.require().study;
  const edited = (): void => {
    emit('changed', { what: 'results' });
    emit('changed', { what: 'history' });
  };
  return {
    list: () => study().externalResults.list().map(summary),
    import: async ({ file: handle, name, ...given }) => {
      const path = files.resolve(handle);
      const file = basename(path);
      const { content, sha256, bytes } = await readResults(path, file, given);
      const { externalResults } = study();
      const known = externalResults.bySha(sha256);
      if (known !== undefined) {
        throw new UserInputError(
          'RESULTS_THERE',
          `${file} is in the study already, as ${known.label} ${known.name}.`,
          'Use it there, or remove it first to import it again.',
        );
      }
      const result = externalResults.insert({
        ...content,
        name: name ?? basename(file, extname(file)),
        file,
        sha256,
        bytes,
      });
      edited();
      return summary(result);
    },
    grid: ({ id, ...key }) => externalGrid(study().externalResults.get(id), key),
    rename: ({ id, name }) => {
      const result = study().externalResults.rename(id, name);
      edited();
      return summary(result);
    },
    remove: ({ id }) => {
      study().externalResults.remove(id);
      edited();
      return {};
    },
  };
}

function summary(result: ExternalResult): ExternalSummary {
  return {
    ...result,
    tables: result.tables.map((table) => ({
      ...gridOf(table),
      name: table.name,
      metric: table.metric,
      layers: table.layers,
      columns: table.columns,
      pairs: table.pairs,
    })),
  };
}
