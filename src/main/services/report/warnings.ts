import type { Report, SweepId } from '../../../shared/domain/index.ts';
import type { Study } from '../../store/index.ts';

/** Everything that qualifies what the report shows: carried over from where it arose, never left out. */
export function reportWarnings(study: Study, report: Report): string[] {
  const sweeps = [...new Set(report.sections.flatMap((section) => section.sweepIds))];
  const training = study.training.list().flatMap((run) => run.warnings.map((w) => `${run.name}: ${w}`));
  return [
    ...(study.settings.meta().synthetic
      ? ['The abstracts of this study are synthetic: made for trying Engram, not from the literature.']
      : []),
    ...study.sources
      .list()
      .filter((source) => source.status === 'incomplete')
      .map(
        (source) => `The import of ${source.name} is incomplete: ${source.message ?? 'it was interrupted'}`,
      ),
    ...(study.notice === null ? [] : [study.notice]),
    ...training,
    ...sweeps.flatMap((id) => sweepWarnings(study, id)),
  ];
}

function sweepWarnings(study: Study, id: SweepId): string[] {
  const sweep = study.sweeps.get(id);
  const named = (text: string): string => `${sweep.label}: ${text}`;
  const unfinished =
    sweep.status === 'complete' ? [] : [named('the sweep is not complete; its values are provisional.')];
  const skipped = (sweep.plan?.skipped ?? []).map((pair) => named(`left out: ${pair.reason}`));
  return [...unfinished, ...sweep.warnings.map(named), ...skipped];
}
