import type {
  HookGrid,
  Report,
  ReportSection,
  Sweep,
  SweepGrid,
  TrainingRun,
} from '../../../shared/domain/index.ts';
import { hookInfo } from '../../../shared/domain/index.ts';
import { formatCount, formatInterval, formatNumber } from '../../../shared/figures/index.ts';
import { renderFlag, renderProse, renderTable, type Cell } from '../../exporters/report/document.ts';
import { html, type Markup } from '../../exporters/report/html.ts';
import type { Study } from '../../store/index.ts';
import { comparisonView } from '../compare/service.ts';
import { describeSpec, specNames } from '../compare/settings.ts';
import type { GridReader } from '../sweeps/grids.ts';
import { figureBlock, gridCaption, reportNumber, shareDifference, strongestSites } from './blocks.ts';
import { figureFor } from './figures.ts';
import { dataMethods, modelMethods, sweepMethods, trainingMethods } from './methods.ts';
import { reportWarnings } from './warnings.ts';

export interface ReportSource {
  readonly study: Study;
  readonly grids: GridReader;
  readonly report: Report;
}

type SectionMaker = (source: ReportSource, section: ReportSection) => readonly (Markup | null)[];

/** What each kind of section generates, one row per kind. */
const SECTIONS: Readonly<Record<ReportSection['kind'], SectionMaker>> = {
  text: () => [],
  warnings: ({ study, report }) => {
    const warnings = reportWarnings(study, report);
    return warnings.length === 0 ? [html`<p>Nothing to warn of was found.</p>`] : warnings.map(renderFlag);
  },
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
  comparison: ({ study, grids }, { sweepIds }) => comparisonBlocks(study, grids, sweepIds),
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

function sweepBlocks(study: Study, grids: GridReader, sweep: Sweep): Markup[] {
  const metric = sweep.spec.metrics[0];
  if (metric === undefined) return [];
  return [
    renderTable(
      ['Setting', 'Value'],
      describeSpec(sweep, specNames(study, sweep)).map(({ name, value }) => [name, value]),
    ),
    ...sweep.spec.grids.flatMap((key) => {
      const grid = grids.grid(study, sweep.id, { ...key, metric });
      if (grid.recovery.every((value) => value === null)) return [noRecovery(key, grid)];
      const figure = figureFor(study, grids, { kind: 'sweep', id: sweep.id, ...key, metric });
      return [
        html`<h3>${capitalised(hookInfo(key.hook).label)}</h3>`,
        figureBlock(figure, gridCaption(sweep, key, grid)),
        strongestSites(grid),
      ];
    }),
  ];
}

function noRecovery({ hook }: HookGrid, grid: SweepGrid): Markup {
  const label = capitalised(hookInfo(hook).label);
  if (grid.layers === 0) return html`<p>${label}: nothing was computed yet.</p>`;
  const gap = (grid.meanClean ?? 0) - (grid.meanCorrupted ?? 0);
  return html`<p>
    ${label}: no recovery is given, because the mean gap between clean and corrupted is
    ${formatNumber(gap, 3)}.
  </p>`;
}

function comparisonBlocks(study: Study, grids: GridReader, ids: ReportSection['sweepIds']): Markup[] {
  const [first, second] = ids;
  if (first === undefined || second === undefined) return [];
  const [a, b] = [study.sweeps.get(first), study.sweeps.get(second)];
  const shared = a.spec.grids.filter((g) => b.spec.grids.some((h) => h.hook === g.hook && h.axes === g.axes));
  const metric = a.spec.metrics.find((name) => b.spec.metrics.includes(name));
  if (metric === undefined || shared.length === 0) {
    return [html`<p>${a.label} and ${b.label} share no hook and metric, so there is nothing to compare.</p>`];
  }
  const rows = (sweep: Sweep) => describeSpec(sweep, specNames(study, sweep));
  const other = rows(b);
  const settings = rows(a).map(({ name, value }, i): Cell[] => [name, value, other[i]?.value ?? '']);
  const different = settings.filter((row) => row[1] !== row[2]);
  return [
    renderTable(
      ['Setting', a.label, b.label],
      different,
      `Settings that differ; ${settings.length - different.length} are equal`,
    ),
    ...shared.flatMap((key) => {
      const view = comparisonView(study, grids, a.id, b.id, { ...key, metric });
      const figure = figureFor(study, grids, { kind: 'comparison', a: a.id, b: b.id, ...key, metric });
      const agreement = `Over ${formatCount(view.n)} sites measured in both: Spearman ${formatNumber(view.spearman)}, Pearson ${formatNumber(view.pearson)}.`;
      return [
        html`<h3>${capitalised(hookInfo(key.hook).label)}</h3>`,
        ...[view.a, view.b]
          .filter((grid) => grid.recovery.every((value) => value === null))
          .map((grid) => noRecovery(key, grid)),
        figureBlock(
          figure,
          `${a.label}, ${b.label} and their difference (${b.label} − ${a.label}). ${agreement}`,
        ),
        ...view.notes.map((note) => html`<p>${note}</p>`),
        ...(view.detected.length === 0
          ? []
          : [
              renderTable(
                ['Detected site', a.label, b.label, 'In'],
                view.detected.map((d) => [
                  d.site,
                  d.a,
                  d.b,
                  d.where === 'both' ? 'both' : d.where === 'a' ? a.label : b.label,
                ]),
                null,
                reportNumber,
              ),
            ]),
        ...(hookInfo(key.hook).residual
          ? []
          : [
              renderTable(
                [
                  'Sweep',
                  'Clusters',
                  'Share of the strongest 5',
                  '95 % interval',
                  'Gini',
                  'Participation ratio',
                ],
                view.localisation.map((l) => [
                  l.label,
                  l.clusters,
                  l.topShare.value,
                  formatInterval(l.topShare.low, l.topShare.high),
                  l.gini,
                  l.participation,
                ]),
                'Localisation: how much of the positive effect the strongest sites hold',
                reportNumber,
              ),
              shareDifference(view, a, b),
            ]),
      ];
    }),
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

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
