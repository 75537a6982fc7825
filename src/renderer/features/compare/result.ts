import type {
  ExternalSummary,
  MetricName,
  ResultRef,
  Sweep,
  SweepHookGrid,
} from '../../../shared/domain/index.ts';
import { externalRef, gridOf, refKey, sameGrid, sweepRef } from '../../../shared/domain/index.ts';

/** What stands in Compare: a sweep of the study, or external results. */
export interface Result {
  readonly ref: ResultRef;
  /** In addresses and lists. */
  readonly key: string;
  readonly label: string;
  readonly name: string;
  readonly grids: readonly SweepHookGrid[];
  readonly metrics: readonly MetricName[];
  /** With all its effects: the ones that can be compared. */
  readonly complete: boolean;
  readonly at: string;
  readonly warnings: readonly string[];
  /** Pairs behind it; null where a file does not say. */
  readonly pairs: number | null;
  readonly sites: number;
  /** Exactly one of both. */
  readonly sweep: Sweep | null;
  readonly external: ExternalSummary | null;
}

export function sweepResult(sweep: Sweep): Result {
  const ref = sweepRef(sweep.id);
  return {
    ref,
    key: refKey(ref),
    label: sweep.label,
    name: sweep.name,
    grids: sweep.spec.grids,
    metrics: sweep.spec.metrics,
    complete: sweep.status === 'complete',
    at: sweep.finishedAt ?? sweep.createdAt,
    warnings: sweep.warnings,
    pairs: sweep.plan?.pairs ?? 0,
    sites: sweep.plan?.sites ?? 0,
    sweep,
    external: null,
  };
}

export function externalResult(external: ExternalSummary): Result {
  const { tables } = external;
  const ref = externalRef(external.id);
  return {
    ref,
    key: refKey(ref),
    label: external.label,
    name: external.name,
    grids: tables.filter((table, i) => tables.findIndex((other) => sameGrid(other, table)) === i).map(gridOf),
    metrics: [...new Set(tables.map(({ metric }) => metric))],
    complete: true,
    at: external.importedAt,
    warnings: external.remarks,
    pairs: tables[0]?.pairs ?? null,
    sites: tables.reduce((sum, { layers, columns }) => sum + layers * columns, 0),
    sweep: null,
    external,
  };
}

/** Sweeps, newest first, then external results. */
export function resultsOf(sweeps: readonly Sweep[], externals: readonly ExternalSummary[]): Result[] {
  return [
    ...sweeps.toSorted((x, y) => y.id - x.id).map(sweepResult),
    ...externals.toSorted((x, y) => y.id - x.id).map(externalResult),
  ];
}
