import type { Report, ReportSection, TrainingRun } from '../../../shared/domain/index.ts';
import { formatNumber } from '../../../shared/figures/index.ts';
import { renderFlag, renderProse, renderTable, type Cell } from '../../exporters/report/document.ts';
import { html, type Markup } from '../../exporters/report/html.ts';
import type { Study } from '../../store/index.ts';
import type { ResultView } from '../views/view.ts';
import type { GridReader } from '../sweeps/grids.ts';
import { figureBlock, reportNumber } from './blocks.ts';
import { figureFor } from './figures.ts';
import { dataMethods, modelMethods, sweepMethods, trainingMethods } from './methods.ts';
import { comparisonBlocks } from './comparison-section.ts';
import { sweepBlocks } from './sweep-sections.ts';
import { viewBlocks } from './view-section.ts';

export interface ReportSource {
  readonly study: Study;
  readonly grids: GridReader;
  readonly report: Report;
  /** The views of sections that show one, made before. */
  readonly views: ReadonlyMap<ReportSection, ResultView>;
  /** What qualifies what is shown. */
  readonly warnings: readonly string[];
}

type SectionMaker = (source: ReportSource, section: ReportSection) => readonly (Markup | null)[];

/** What each kind of section generates, one row per kind. */
const SECTIONS: Readonly<Record<ReportSection['kind'], SectionMaker>> = {
  text: () => [],
  warnings: ({ warnings }) =>
    warnings.length === 0 ? [html`<p>Nothing to warn of was found.</p>`] : warnings.map(renderFlag),
  data: ({ study, grids }) => [
    figureBlock(figureFor(study, grids, { kind: 'flow' }), 'Flow of records from import to inclusion.'),
    renderTable(
      ['Source', 'Kind', 'Read', 'Added', 'Copies', 'Rejected', 'Status'],
      study.sources.list().map((s) => [s.name, s.kind, s.read, s.added, s.duplicates, s.rejected, s.status]),
      'Sources',
      reportNumber,
    ),
    renderTable(
      ['Dataset', 'Version', 'Training', 'Held out', 'Seed', 'Hash'],
      study.datasets
        .list()
        .map((d) => [d.name, d.version, d.nTrain, d.nValidation, d.options.seed, `${d.hash.slice(0, 12)}…`]),
      'Frozen datasets',
      reportNumber,
    ),
    renderTable(
      ['Term', 'Mentions', 'Articles'],
      (study.datasets.list().at(-1)?.terms ?? study.terms.statistics()).map((t) => [
        t.term,
        t.mentions,
        t.articles,
      ]),
      'Terms',
      reportNumber,
    ),
  ],
  training: ({ study, grids }) => study.training.list().flatMap((run) => trainingBlocks(study, grids, run)),
  sweep: ({ study, grids }, { sweepIds }) =>
    sweepIds.flatMap((id) => sweepBlocks(study, grids, study.sweeps.get(id))),
  comparison: ({ study, grids }, section) => comparisonBlocks(study, grids, section),
  view: ({ study, grids, views }, section) => viewBlocks(study, grids, views.get(section)),
  methods: ({ study }, { sweepIds }) => methodsBlocks(study, sweepIds),
  provenance: ({ study }) => [provenanceTable(study)],
};

/** A section: its title, the user's words, then what it generates. */
export function renderSection(source: ReportSource, section: ReportSection): Markup {
  return html`<section>
    <h2>${section.title}</h2>
    ${renderProse(section.text)} ${SECTIONS[section.kind](source, section)}
  </section> `;
}

function trainingBlocks(study: Study, grids: GridReader, run: TrainingRun): Markup[] {
  const base = study.models.get(run.baseModelId);
  const tuned = run.modelId === null ? null : study.models.get(run.modelId);
  const rows = [base, ...(tuned === null ? [] : [tuned])].map((model): Cell[] => [
    model.name,
    model.evaluation?.validationLoss ?? null,
    model.evaluation?.perplexity ?? null,
    (model.evaluation?.pairAccuracy ?? [])
      .map((a) => `${a.name}: ${a.right} of ${a.total} (${formatNumber((100 * a.right) / a.total, 0)} %)`)
      .join('; ') || '–',
  ]);
  const sample = tuned?.evaluation?.sample ?? null;
  return [
    html`<h3>${run.name}</h3>`,
    figureBlock(
      figureFor(study, grids, { kind: 'training', id: run.id }),
      `Training loss per step and validation loss per epoch of ${run.name} (nats per token).`,
    ),
    renderTable(
      ['Model', 'Validation loss', 'Perplexity', 'Right answer preferred'],
      rows,
      'Base and fine-tuned model on the held-out abstracts and the pair sets',
      reportNumber,
    ),
    ...(sample === null
      ? []
      : [html`<p class="meta">Sample of ${tuned?.name ?? ''}: “${sample.prompt}” → “${sample.text}”</p>`]),
  ];
}

function methodsBlocks(study: Study, ids: ReportSection['sweepIds']): Markup[] {
  const sweeps = ids.map((id) => study.sweeps.get(id));
  const used = new Set(sweeps.map((sweep) => sweep.spec.modelId));
  const paragraphs = [
    dataMethods(study, study.datasets.list().at(-1) ?? null),
    ...study.models
      .list()
      .filter((m) => used.has(m.id) || m.origin !== 'fine-tuned')
      .map(modelMethods),
    ...study.training.list().map((run) => trainingMethods(study, run)),
    ...sweeps.map((sweep) => sweepMethods(study, sweep)),
  ];
  return paragraphs.map((text) => html`<p>${text}</p>`);
}

function provenanceTable(study: Study): Markup {
  const rows = [
    ...study.training.list().map((run) => ({ what: run.name, provenance: run.provenance })),
    ...study.sweeps
      .list()
      .toReversed()
      .map((sweep) => ({ what: sweep.label, provenance: sweep.provenance })),
  ].map(({ what, provenance }): Cell[] =>
    provenance === null
      ? [what, 'not complete', null, null, null, null]
      : [
          what,
          provenance.inputHash,
          provenance.seed,
          provenance.engine,
          `${provenance.provider}, ${provenance.threads} threads`,
          provenance.createdAt,
        ],
  );
  return renderTable(
    ['Computation', 'Hash of the inputs', 'Seed', 'Engine', 'Device', 'When'],
    rows,
    null,
    String,
  );
}
