import { externalRef } from '../../../shared/domain/index.ts';
import type {
  Dataset,
  ExternalResultId,
  Report,
  ResultRef,
  Source,
  SweepId,
} from '../../../shared/domain/index.ts';
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
    ...study.sources.list().flatMap((source) => missingArticles(study, source)),
    ...study.datasets.list().flatMap(nearCopies),
    ...(study.notice === null ? [] : [study.notice]),
    ...training,
    ...sweeps.flatMap((id) => sweepWarnings(study, id)),
    ...externalIds(report).map((id) => externalWarning(study, id)),
  ];
}

/** External results that sections compare or show. */
function externalIds(report: Report): ExternalResultId[] {
  const refs = report.sections.flatMap(({ results = [], view }): readonly ResultRef[] => [
    ...results,
    ...(view?.kind === 'external' ? [externalRef(view.id)] : []),
    ...(view !== undefined && 'refs' in view ? view.refs : []),
  ]);
  return [...new Set(refs.flatMap((ref) => (ref.kind === 'external' ? [ref.id] : [])))];
}

function externalWarning(study: Study, id: ExternalResultId): string {
  const { label, name, file, source } = study.externalResults.get(id);
  return `${label} is external: ${name}, from ${file}${source === '' ? '' : ` (${source})`}. It was not computed in this study and has no intervals and no tests.`;
}

function missingArticles(study: Study, { id, name }: Source): string[] {
  const missing = study.pubmed.summary(id)?.missing ?? 0;
  return missing === 0 ? [] : [`${name}: ${missing} articles that PubMed lists did not come.`];
}

/** A split with near-copies on both sides makes the validation loss look better than it is. */
function nearCopies({ name, version, nearCopies: found }: Dataset): string[] {
  if (found === null || found.heldOut === 0) return [];
  const percent = Math.round(100 * found.threshold);
  return [
    `${name}, version ${version}: ${found.heldOut} held-out texts are nearly repeated in training (${percent} % of five-word shingles or more).`,
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
