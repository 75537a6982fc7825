import type { Report, ReportSection, ResultRef, SweepId } from '../../../shared/domain/index.ts';
import type { Study } from '../../store/index.ts';

const WARNINGS_TITLE = 'Before you read';

/** A report of what the study contains, for as long as nobody has edited one. */
export function defaultReport(study: Study): Report {
  const sweeps = study.sweeps.list().toReversed();
  const comparisons = study.comparisons.list();
  const section = (kind: ReportSection['kind'], title: string, sweepIds: SweepId[] = []): ReportSection => ({
    kind,
    title,
    text: '',
    sweepIds,
  });
  return {
    title: study.settings.meta().name,
    author: '',
    sections: [
      section(
        'warnings',
        WARNINGS_TITLE,
        sweeps.map((s) => s.id),
      ),
      section('data', 'Abstracts'),
      ...(study.training.list().length === 0 ? [] : [section('training', 'Fine-tuning')]),
      ...sweeps.map((sweep) => section('sweep', `${sweep.label} · ${sweep.name}`, [sweep.id])),
      ...comparisons.map((c) => comparisonSection(c.name, c.a, c.b)),
      section(
        'methods',
        'Methods',
        sweeps.map((s) => s.id),
      ),
      section(
        'provenance',
        'Provenance',
        sweeps.map((s) => s.id),
      ),
    ],
  };
}

/** A comparison as a section; sides that are no sweeps are named beside the sweeps. */
function comparisonSection(name: string, a: ResultRef, b: ResultRef): ReportSection {
  const sweepIds = [a, b].flatMap((ref) => (ref.kind === 'sweep' ? [ref.id] : []));
  return {
    kind: 'comparison',
    title: name,
    text: '',
    sweepIds,
    ...(sweepIds.length === 2 ? {} : { results: [a, b] }),
  };
}

/** A report with its warnings first where nothing shows them: they are part of every report. */
export function withWarnings(report: Report): Report {
  if (report.sections.some(({ kind }) => kind === 'warnings')) return report;
  const sweepIds = [...new Set(report.sections.flatMap((section) => section.sweepIds))];
  const section: ReportSection = { kind: 'warnings', title: WARNINGS_TITLE, text: '', sweepIds };
  return { ...report, sections: [section, ...report.sections] };
}
