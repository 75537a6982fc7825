import type { FigureRequest } from '../../../shared/contracts/index.ts';
import {
  sameGrid,
  sweepRef,
  hookInfo,
  METRICS,
  type MetricName,
  type ReportSection,
  type Sweep,
  type TrainingRun,
} from '../../../shared/domain/index.ts';
import { t } from '../../i18n/index.ts';
import { sharedMetrics } from '../compare/compare.ts';

/** One figure of a section, as it can be exported. */
export interface SectionFigure {
  readonly name: string;
  /** Sweep or run it is drawn from. */
  readonly source: string;
  readonly request: FigureRequest;
}

interface Material {
  readonly sweeps: readonly Sweep[];
  readonly runs: readonly TrainingRun[];
}

const metricName = (name: MetricName): string => METRICS.find((m) => m.name === name)?.label ?? name;
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** The sweeps of a section that still exist, in its order. */
export function sweepsOf(section: ReportSection, sweeps: readonly Sweep[]): Sweep[] {
  return section.sweepIds.flatMap((id) => sweeps.filter((sweep) => sweep.id === id));
}

function sweepFigures(sweep: Sweep): SectionFigure[] {
  const { grids, metrics } = sweep.spec;
  return metrics.flatMap((metric) =>
    grids.map((grid) => ({
      name:
        metrics.length > 1
          ? t.report.figureOf(capital(hookInfo(grid.hook).label), metricName(metric))
          : capital(hookInfo(grid.hook).label),
      source: sweep.label,
      request: { kind: 'sweep' as const, id: sweep.id, ...grid, metric },
    })),
  );
}

function comparisonFigures(a: Sweep | undefined, b: Sweep | undefined): SectionFigure[] {
  if (a === undefined || b === undefined) return [];
  const shared = a.spec.grids.filter((grid) => b.spec.grids.some((other) => sameGrid(grid, other)));
  return sharedMetrics({ a: a.spec, b: b.spec }).flatMap((metric) =>
    shared.map((grid) => ({
      name: capital(hookInfo(grid.hook).label),
      source: t.report.twoSweeps(a.label, b.label),
      request: { kind: 'comparison' as const, a: sweepRef(a.id), b: sweepRef(b.id), ...grid, metric },
    })),
  );
}

/** Views that have a figure of their own; the others are tables. */
function viewFigures(view: ReportSection['view'], sweeps: readonly Sweep[]): SectionFigure[] {
  if (view === undefined) return [];
  const label = (id: Sweep['id']): string => sweeps.find((sweep) => sweep.id === id)?.label ?? '';
  const name = 'hook' in view ? capital(hookInfo(view.hook).label) : '';
  if (view.kind === 'types' || view.kind === 'metrics')
    return [{ name, source: label(view.id), request: view }];
  if (view.kind === 'windows') {
    return [{ name, source: label(view.id), request: { ...view, kind: 'sweep' } }];
  }
  if (view.kind === 'several')
    return [{ name, source: t.report.severalResults(view.refs.length), request: view }];
  return [];
}

const none = (): SectionFigure[] => [];

/** What each kind of section draws, one row per kind; first those the report shows, in its order. */
const FIGURES: Readonly<
  Record<ReportSection['kind'], (section: ReportSection, material: Material) => SectionFigure[]>
> = {
  text: none,
  methods: none,
  warnings: none,
  provenance: none,
  data: () => [{ name: t.report.flow, source: t.report.thisStudy, request: { kind: 'flow' } }],
  training: (_, { runs }) =>
    runs.map((run) => ({
      name: run.name,
      source: t.report.thisRun,
      request: { kind: 'training', id: run.id },
    })),
  view: ({ view }, { sweeps }) => viewFigures(view, sweeps),
  sweep: (section, { sweeps }) => sweepsOf(section, sweeps).flatMap(sweepFigures),
  comparison: (section, { sweeps }) => {
    const [a, b] = sweepsOf(section, sweeps);
    return comparisonFigures(a, b);
  },
};

export function sectionFigures(section: ReportSection, material: Material): SectionFigure[] {
  return FIGURES[section.kind](section, material);
}

/** Whether something about the section's sweeps or runs is warned of. */
export function hasWarnings(section: ReportSection, { sweeps, runs }: Material): boolean {
  if (section.kind === 'training') return runs.some((run) => run.warnings.length > 0);
  if (section.kind !== 'sweep' && section.kind !== 'comparison') return false;
  return sweepsOf(section, sweeps).some(
    (sweep) =>
      sweep.warnings.length > 0 || (sweep.plan?.skipped.length ?? 0) > 0 || sweep.status !== 'complete',
  );
}
