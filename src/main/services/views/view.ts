import type { FigureRequest } from '../../../shared/contracts/index.ts';
import type { ResultTable, ResultViewRequest } from '../../../shared/domain/index.ts';
import type { ComputeApi } from '../../runtime/api.ts';
import type { Study } from '../../store/index.ts';
import type { ModelShelf } from '../models/shelf.ts';
import type { GridReader } from '../sweeps/grids.ts';

/** What views are made from. `compute` answers questions that a person waits for. */
export interface ViewSource {
  readonly study: Study;
  readonly grids: GridReader;
  readonly shelf: ModelShelf;
  readonly compute: ComputeApi;
}

/** A view as tables and figures: shown on a page, written as CSV, taken into the report. */
export interface ResultView {
  readonly title: string;
  /** What qualifies it; first. */
  readonly notes: readonly string[];
  readonly figures: readonly { readonly request: FigureRequest; readonly caption: string }[];
  readonly tables: readonly ResultTable[];
}

export type ViewRequestOf<K extends ResultViewRequest['kind']> = Extract<ResultViewRequest, { kind: K }>;
export type ViewMaker<K extends ResultViewRequest['kind']> = (
  source: ViewSource,
  request: ViewRequestOf<K>,
) => ResultView | Promise<ResultView>;
