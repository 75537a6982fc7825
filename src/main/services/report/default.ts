import type { Report, ReportSection, SweepId } from '../../../shared/domain/index.ts';
import type { Study } from '../../store/index.ts';

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
        'Before you read',
        sweeps.map((s) => s.id),
      ),
      section('data', 'Abstracts'),
      ...(study.training.list().length === 0 ? [] : [section('training', 'Fine-tuning')]),
      ...sweeps.map((sweep) => section('sweep', `${sweep.label} · ${sweep.name}`, [sweep.id])),
      ...comparisons.map((c) => section('comparison', c.name, [c.a, c.b])),
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
