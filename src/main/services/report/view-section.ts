import { renderFlag, renderTable } from '../../exporters/report/document.ts';
import { html, type Markup } from '../../exporters/report/html.ts';
import type { Study } from '../../store/index.ts';
import type { GridReader } from '../sweeps/grids.ts';
import type { ResultView } from '../views/view.ts';
import { figureBlock, reportNumber } from './blocks.ts';
import { figureFor } from './figures.ts';

/** Rows of a table that a report prints; the CSV of the view has all of them. */
const MOST_ROWS = 200;

/** A view: what qualifies it, its figures, its tables. */
export function viewBlocks(study: Study, grids: GridReader, view: ResultView | undefined): Markup[] {
  if (view === undefined) return [];
  return [
    html`<h3>${view.title}</h3>`,
    ...view.notes.map(renderFlag),
    ...view.figures.map(({ request, caption }) => figureBlock(figureFor(study, grids, request), caption)),
    ...view.tables.map(({ caption, columns, rows }) =>
      renderTable(
        columns,
        rows.slice(0, MOST_ROWS),
        rows.length > MOST_ROWS ? `${caption}; the first ${MOST_ROWS} of ${rows.length} rows` : caption,
        reportNumber,
      ),
    ),
  ];
}
