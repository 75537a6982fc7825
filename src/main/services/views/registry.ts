import type { ResultViewRequest } from '../../../shared/domain/index.ts';
import { csvText } from '../../exporters/csv.ts';
import { clapView } from './clap.ts';
import { detectionView } from './detection.ts';
import { externalView } from './external.ts';
import { metricsView } from './metrics.ts';
import { severalView } from './several.ts';
import { typesView } from './types.ts';
import type { ResultView, ViewMaker, ViewSource } from './view.ts';
import { windowsView } from './windows.ts';

/** One row per kind of view. */
const VIEWS: { readonly [K in ResultViewRequest['kind']]: ViewMaker<K> } = {
  types: typesView,
  windows: windowsView,
  detection: detectionView,
  several: severalView,
  metrics: metricsView,
  clap: clapView,
  external: externalView,
};

/** Makes a view from what the study holds now. Errors of the results it names. */
export async function resultView(source: ViewSource, request: ResultViewRequest): Promise<ResultView> {
  const make = VIEWS[request.kind] as ViewMaker<ResultViewRequest['kind']>; // keyed by the request's kind
  return make(source, request);
}

/** All tables of a view as one CSV: each under its name, an empty line between two. */
export function viewCsv({ tables }: ResultView): string {
  return tables
    .map(({ name, columns, rows }) =>
      csvText(
        ['part', ...columns],
        rows.map((row) => [name, ...row]),
      ),
    )
    .join('\n');
}
