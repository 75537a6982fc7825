import { z } from 'zod';
import * as d from '../domain/index.ts';
import { method } from './define.ts';

const none = z.object({});
const ok = z.object({});
const jobStarted = z.object({ jobId: d.JobId });

/** A file or folder the host knows and the renderer only names: handles, never paths. */
export const FileHandle = z.object({ handle: z.string(), name: z.string(), bytes: z.number().nullable() });
export type FileHandle = z.infer<typeof FileHandle>;

/** Something to save: the host writes it (Electron dialog) or offers it for download (browser). */
export const Download = z.object({ url: z.string(), name: z.string(), mime: z.string(), bytes: z.number() });
export type Download = z.infer<typeof Download>;

export const StudyInfo = z.object({
  handle: z.string(),
  name: z.string(),
  /** For display: the folder's name and place. */
  place: z.string(),
  synthetic: z.boolean(),
  openedAt: d.Timestamp,
});
export type StudyInfo = z.infer<typeof StudyInfo>;

export const StudyCounts = z.object({
  records: z.number().int(),
  undecided: z.number().int(),
  datasets: z.number().int(),
  models: z.number().int(),
  pairs: z.number().int(),
  sweeps: z.number().int(),
  comparisons: z.number().int(),
});

export const app = {
  info: method(
    none,
    z.object({
      version: z.string(),
      engine: z.string(),
      host: z.enum(['electron', 'browser']),
      provider: z.string(),
      providers: z.array(z.object({ name: z.string(), available: z.boolean(), note: z.string() })),
      threads: z.number().int(),
      memoryBytes: z.number(),
      usedBytes: z.number(),
      notice: z.string().nullable(),
      node: z.string(),
    }),
  ),
  /** Known logits and speed, about five seconds. */
  selfCheck: method(
    none,
    z.object({
      ok: z.boolean(),
      maxError: z.number(),
      gflops: z.number(),
      milliseconds: z.number(),
      message: z.string(),
    }),
  ),
  getSettings: method(none, d.Settings),
  setSettings: method(d.Settings, d.Settings),
  licences: method(none, z.array(z.object({ name: z.string(), version: z.string(), licence: z.string() }))),
};

export const files = {
  /** Browser host: folders on the machine that runs Engram, to pick models and files from. */
  roots: method(none, z.array(FileHandle)),
  list: method(
    z.object({ handle: z.string() }),
    z.object({
      parent: z.string().nullable(),
      path: z.string(),
      entries: z.array(FileHandle.extend({ kind: z.enum(['file', 'folder']) })),
    }),
  ),
};

export const studies = {
  recent: method(none, z.array(StudyInfo)),
  current: method(none, z.object({ study: StudyInfo.nullable(), counts: StudyCounts.nullable() })),
  create: method(
    z.object({ name: z.string().trim().min(1).max(120), parent: z.string().nullable() }),
    StudyInfo,
  ),
  open: method(z.object({ handle: z.string() }), StudyInfo),
  /** Creates a study from the bundled synthetic sample: abstracts imported, pairs ready. */
  openSample: method(none, StudyInfo),
  close: method(none, ok),
  history: method(none, z.object({ undo: z.string().nullable(), redo: z.string().nullable() })),
  undo: method(none, z.object({ undone: z.string().nullable() })),
  redo: method(none, z.object({ redone: z.string().nullable() })),
};

export const library = {
  sources: method(none, z.array(d.Source)),
  /** Files and folders by their handles; `columns` is the map (`COLUMN=FIELD`) for tables among them. */
  import: method(
    z.object({ files: z.array(z.string()).min(1), columns: z.array(z.string()).default([]) }),
    jobStarted,
  ),
  /** The columns of a table and what each is taken for, before it is imported; null for other formats. */
  preview: method(
    z.object({ file: z.string() }),
    z.object({ label: z.string(), columns: z.array(d.TableColumn).nullable() }),
  ),
  /** The first 500 of them. */
  rejects: method(z.object({ sourceId: d.SourceId }), z.array(d.Reject)),
  rejectsFile: method(z.object({ sourceId: d.SourceId }), Download),
};

export const RecordFilter = z.object({
  query: z.string().default(''),
  decisions: z.array(d.Decision).default([]),
  yearFrom: z.number().int().nullable().default(null),
  yearTo: z.number().int().nullable().default(null),
  terms: z.array(z.string()).default([]),
  publicationTypes: z.array(z.string()).default([]),
  journals: z.array(z.string()).default([]),
  languages: z.array(z.string()).default([]),
  mesh: z.array(z.string()).default([]),
  keywords: z.array(z.string()).default([]),
  sources: z.array(d.SourceId).default([]),
  flags: z.array(d.RecordFlag).default([]),
  hideCopies: z.boolean().default(true),
});
export type RecordFilter = z.infer<typeof RecordFilter>;

export const curate = {
  /** Pages by offset of the filtered list, sorted by year (newest first) then title. */
  records: method(
    z.object({
      filter: RecordFilter,
      offset: z.number().int().min(0),
      limit: z.number().int().min(1).max(500),
    }),
    z.object({
      total: z.number().int(),
      all: z.number().int(),
      terms: z.array(z.string()),
      rows: z.array(d.RecordRow),
    }),
  ),
  record: method(z.object({ id: d.RecordId }), d.RecordDetail),
  facets: method(
    z.object({ filter: RecordFilter }),
    z.object({
      decisions: z.array(z.object({ value: d.Decision, count: z.number().int() })),
      years: z.array(z.object({ year: z.number().int(), count: z.number().int() })),
      terms: z.array(z.object({ term: z.string(), articles: z.number().int() })),
      publicationTypes: z.array(z.object({ value: z.string(), count: z.number().int() })),
      /** Most frequent first; the rarer ones are left out, but for those in the filter. */
      journals: z.array(z.object({ value: z.string(), count: z.number().int() })),
      languages: z.array(z.object({ value: z.string(), count: z.number().int() })),
      mesh: z.array(z.object({ value: z.string(), count: z.number().int() })),
      keywords: z.array(z.object({ value: z.string(), count: z.number().int() })),
      sources: z.array(z.object({ id: d.SourceId, name: z.string(), count: z.number().int() })),
      flags: z.array(z.object({ value: d.RecordFlag, count: z.number().int() })),
    }),
  ),
  decide: method(
    z.object({ ids: z.array(d.RecordId).min(1), decision: d.Decision, reason: z.string().nullable() }),
    z.object({ changed: z.number().int() }),
  ),
  /** Says that a record is no copy of its group after all; undoable. */
  separate: method(z.object({ id: d.RecordId }), ok),
  /** The records that pass a filter as a file. */
  export: method(z.object({ filter: RecordFilter, format: d.RecordFileFormat }), Download),
  setNote: method(z.object({ id: d.RecordId, note: z.string().max(10_000) }), ok),
  flow: method(none, d.FlowCount),
  terms: method(none, z.array(d.TermCount)),
  /** Over the records to screen: articles in which two terms stand together, and each term by year. */
  termDetail: method(
    none,
    z.object({
      together: z.array(z.object({ a: z.number().int(), b: z.number().int(), articles: z.number().int() })),
      byYear: z.array(
        z.object({
          term: z.string(),
          year: z.number().int(),
          mentions: z.number().int(),
          articles: z.number().int(),
        }),
      ),
    }),
  ),
  setTerms: method(
    z.object({ terms: z.array(z.string().trim().min(1)).min(1).max(12) }),
    z.array(d.TermCount),
  ),
  freezePreview: method(
    d.FreezeOptions,
    z.object({
      nTrain: z.number().int(),
      nValidation: z.number().int(),
      terms: z.array(d.TermCount),
      warnings: z.array(z.string()),
      /** Lengths in tokens of GPT-2 of some of the texts: how many of `of` lie in each bin from `from` on. */
      lengths: z.object({
        of: z.number().int(),
        median: z.number(),
        longest: z.number(),
        bins: z.array(z.object({ from: z.number().int(), count: z.number().int() })),
      }),
    }),
  ),
  /** Texts to train on that nearly repeat a held-out one, were it frozen now. */
  nearCopies: method(
    d.FreezeOptions,
    d.NearCopyReport.extend({
      examples: z.array(
        z.object({
          train: z.object({ id: d.RecordId, title: z.string() }),
          validation: z.object({ id: d.RecordId, title: z.string() }),
          similarity: z.number(),
        }),
      ),
    }),
  ),
  /** Decides on every record that passes a filter. */
  decideAll: method(
    z.object({ filter: RecordFilter, decision: d.Decision, reason: z.string().nullable() }),
    z.object({ changed: z.number().int() }),
  ),
  freeze: method(d.FreezeOptions, d.Dataset),
  datasets: method(none, z.array(d.Dataset)),
};

export const models = {
  list: method(none, z.array(d.Model)),
  checkFolder: method(
    z.object({ handle: z.string() }),
    z.object({ ok: z.boolean(), name: z.string(), checks: z.array(d.ModelFolderCheck) }),
  ),
  importFolder: method(z.object({ handle: z.string(), name: z.string().nullable() }), jobStarted),
  /** The hub in use: the setting, or what the environment names instead. */
  hub: method(none, z.object({ url: z.string() })),
  /** Asks the hub which files a model needs, with sizes and checksums. This goes out to the hub. */
  hubFiles: method(z.object({ name: z.string().trim().min(1).max(200) }), d.HubListing),
  /** Starts the download of what `hubFiles` listed, and the import after it. */
  get: method(z.object({ manifest: d.HubManifest, name: z.string().trim().min(1).max(80) }), jobStarted),
  create: method(d.CreateModelOptions, d.Model),
  rename: method(z.object({ id: d.ModelId, name: z.string().trim().min(1).max(80) }), d.Model),
  remove: method(z.object({ id: d.ModelId }), ok),
  generate: method(
    z.object({ id: d.ModelId, prompt: z.string(), tokens: z.number().int().min(1).max(200) }),
    z.object({ text: z.string(), milliseconds: z.number() }),
  ),
};

export const training = {
  estimate: method(
    z.object({ modelId: d.ModelId, datasetId: d.DatasetId, config: d.TrainingConfig }),
    d.TrainingEstimate,
  ),
  start: method(
    z.object({
      modelId: d.ModelId,
      datasetId: d.DatasetId,
      config: d.TrainingConfig,
      name: z.string().trim().min(1).max(80),
    }),
    z.object({ runId: d.TrainingRunId, jobId: d.JobId }),
  ),
  list: method(none, z.array(d.TrainingRun)),
  get: method(
    z.object({ id: d.TrainingRunId }),
    z.object({
      run: d.TrainingRun,
      steps: z.array(d.StepPoint),
      epochs: z.array(d.EpochPoint),
      sample: z.string().nullable(),
      /** Bytes moved in and out of runs for a step, lately; null where no step has been taken. */
      bytesPerStep: z.number().nullable(),
    }),
  ),
  /** Ends the run after the current step and keeps the best checkpoint. */
  stopAndKeep: method(z.object({ id: d.TrainingRunId }), ok),
};

export const pairs = {
  sets: method(none, z.array(d.PairSet)),
  createSet: method(z.object({ name: z.string().trim().min(1).max(120) }), d.PairSet),
  list: method(z.object({ setId: d.PairSetId }), z.array(d.Pair)),
  save: method(z.object({ setId: d.PairSetId, id: d.PairId.nullable(), line: d.PairLine }), d.Pair),
  remove: method(z.object({ ids: z.array(d.PairId).min(1) }), ok),
  freeze: method(z.object({ setId: d.PairSetId }), d.PairSet),
  import: method(
    z.object({ name: z.string(), text: z.string() }),
    z.object({ set: d.PairSet, rejected: z.array(d.Reject) }),
  ),
  export: method(
    z.object({ setId: d.PairSetId, format: z.enum(['jsonl', 'csv']).default('jsonl') }),
    Download,
  ),
  tokens: method(
    z.object({ modelId: d.ModelId, line: d.PairLine }),
    z.object({ tokens: d.PairTokens, flags: z.array(d.PairFlag) }),
  ),
  check: method(z.object({ modelId: d.ModelId, line: d.PairLine }), d.PairCheck),
  /** Logit-difference gaps and flags of the whole set under one model. */
  checkSet: method(
    z.object({ setId: d.PairSetId, modelId: d.ModelId }),
    z.array(
      z.object({
        id: d.PairId,
        cleanLogitDiff: z.number().nullable(),
        corruptedLogitDiff: z.number().nullable(),
        gap: z.number().nullable(),
        valid: z.boolean(),
        flags: z.array(d.PairFlag),
      }),
    ),
  ),
  /**
   * Pairs of a task under a model's tokenizer. Without a place to put them (both null) a preview: the first
   * pairs, with the counts of the whole draw; the model judges only those for the keep rule.
   */
  generate: method(
    z.object({
      modelId: d.ModelId,
      spec: d.TaskSpec,
      keep: d.KeepRule.default('all'),
      /** Added to this set … */
      setId: d.PairSetId.nullable().default(null),
      /** … or to a new one of this name. */
      name: z.string().trim().min(1).max(120).nullable().default(null),
    }),
    d.TaskResult.extend({ set: d.PairSet.nullable() }),
  ),
  /** For prompts of unequal length: replacements from the study that give the corrupted one the length of clean. */
  suggest: method(z.object({ modelId: d.ModelId, line: d.PairLine }), z.array(d.LengthMatch)),
  /** A pair that changes several facts at once becomes pairs that change one each, as one edit; they are returned. */
  split: method(
    z.object({ modelId: d.ModelId, setId: d.PairSetId, id: d.PairId, line: d.PairLine }),
    z.array(d.Pair),
  ),
  /** A copy of a set, editable, as one edit. */
  copySet: method(z.object({ setId: d.PairSetId, name: z.string().trim().min(1).max(120) }), d.PairSet),
  /** Question + " " + answer, as the CLAP study builds its inputs. */
  fromQuestion: method(
    z.object({
      question: z.string().min(1),
      right: z.string().min(1),
      wrong: z.string().min(1),
      type: z.string(),
    }),
    d.PairLine,
  ),
};

/** A prompt of a sweep: one side of a pair that it was given. */
const SweepPrompt = z.object({
  id: d.SweepId,
  /** Id of the pair. */
  pair: z.string(),
  side: z.enum(['clean', 'corrupted']),
});

const Share = z.number().nullable();
export const WindowStudy = d.SweepHookGrid.extend({
  metric: d.MetricName,
  window: z.number().int(),
  layers: z.number().int(),
  columns: z.number().int(),
  /** Sum of the single-layer effects over each window, row-major as the grid. */
  sums: z.array(Share),
  /** Per column: strongest window, strongest sum, and their ratio (null without a positive sum). */
  peaks: z.array(
    z.object({
      column: z.number().int(),
      label: z.string(),
      peakWindow: Share,
      peakSum: Share,
      ratio: Share,
    }),
  ),
});
export type WindowStudy = z.infer<typeof WindowStudy>;

export const sweeps = {
  list: method(none, z.array(d.Sweep)),
  plan: method(d.SweepSpec, d.SweepPlan),
  start: method(
    z.object({ spec: d.SweepSpec, name: z.string().trim().min(1).max(120) }),
    z.object({ sweepId: d.SweepId, jobId: d.JobId }),
  ),
  get: method(z.object({ id: d.SweepId }), d.Sweep),
  grid: method(z.object({ id: d.SweepId, ...d.SweepHookGrid.shape, metric: d.MetricName }), d.SweepGrid),
  site: method(
    z.object({
      id: d.SweepId,
      ...d.SweepHookGrid.shape,
      metric: d.MetricName,
      layer: z.number().int(),
      column: z.number().int(),
    }),
    d.SiteDetail,
  ),
  /** A window grid beside the sums of single layers; the sweep must hold both grids. */
  windows: method(z.object({ id: d.SweepId, ...d.SweepHookGrid.shape, metric: d.MetricName }), WindowStudy),
  /** How one head attends in one prompt of the sweep. */
  attention: method(SweepPrompt.extend({ layer: z.number().int(), head: z.number().int() }), d.AttentionView),
  /** What the residual stream of one prompt says at a position, layer by layer. */
  lens: method(
    /** Null = the position at which the metric is read. */
    SweepPrompt.extend({ position: z.number().int().nullable() }),
    d.LensView,
  ),
  /** One site of an estimated sweep patched exactly for every pair. */
  verifySite: method(
    z.object({
      id: d.SweepId,
      ...d.SweepHookGrid.shape,
      metric: d.MetricName,
      layer: z.number().int(),
      column: z.number().int(),
    }),
    d.SiteVerification,
  ),
  rename: method(z.object({ id: d.SweepId, name: z.string().trim().min(1).max(120) }), d.Sweep),
  remove: method(z.object({ id: d.SweepId }), ok),
  table: method(z.object({ id: d.SweepId, format: z.enum(['jsonl', 'csv']) }), Download),
};

/** One side of a comparison. */
const Side = z.object({
  ref: d.ResultRef,
  label: z.string(),
  /** Where external numbers come from; null for a sweep of the study. */
  external: z.string().nullable(),
});

export const ComparisonView = z.object({
  sides: z.tuple([Side, Side]),
  a: d.EffectGrid,
  b: d.EffectGrid,
  /** b − a, where both exist. */
  difference: z.array(z.number().nullable()),
  spearman: z.number().nullable(),
  pearson: z.number().nullable(),
  n: z.number().int(),
  /** How many of the k strongest sites of A are among the k strongest of B, over sites open in both. */
  overlap: z.object({ k: z.number().int(), shared: z.number().int() }).nullable(),
  detected: z.array(
    z.object({
      layer: z.number().int(),
      column: z.number().int(),
      site: z.string(),
      a: z.number().nullable(),
      b: z.number().nullable(),
      where: z.enum(['both', 'a', 'b']),
    }),
  ),
  settings: z.array(z.object({ name: z.string(), a: z.string(), b: z.string() })),
  /** The settings that are equal, with their value. */
  sharedSettings: z.array(z.object({ name: z.string(), value: z.string() })),
  /** Localisation of each grid: top-5 share, Gini, participation ratio, with 95 % cluster-bootstrap intervals. */
  localisation: z.array(
    z.object({
      label: z.string(),
      clusters: z.number().int(),
      topShare: z.object({
        k: z.number().int(),
        value: z.number().nullable(),
        low: z.number().nullable(),
        high: z.number().nullable(),
      }),
      gini: z.number().nullable(),
      participation: z.number().nullable(),
    }),
  ),
  /** B − A in the top share with its paired 95 % interval; null where the grids cannot be paired. */
  localisationDifference: z.object({ value: z.number(), low: z.number(), high: z.number() }).nullable(),
  notes: z.array(z.string()),
});
export type ComparisonView = z.infer<typeof ComparisonView>;

/** Question types of one sweep on one grid. */
export const TypeComparison = z.object({
  label: z.string(),
  /** Sites whose share is taken. */
  k: z.number().int(),
  types: z.array(
    z.object({
      type: z.string(),
      clusters: z.number().int(),
      pairs: z.number().int(),
      topShare: Share,
      low: Share,
      high: Share,
      gini: Share,
      participation: Share,
    }),
  ),
  /** a − b in the top share, with a permutation test over whole clusters. */
  differences: z.array(
    z.object({
      a: z.string(),
      b: z.string(),
      value: Share,
      low: Share,
      high: Share,
      p: Share,
      pHolm: Share,
      caveat: z.string().nullable(),
    }),
  ),
  /** Why there is nothing to compare. */
  refusal: z.string().nullable(),
});
export type TypeComparison = z.infer<typeof TypeComparison>;

/** What is detected on one grid, a row for each sweep and metric. */
export const DetectionTable = z.object({
  rows: z.array(
    z.object({
      ref: d.ResultRef,
      label: z.string(),
      model: z.string(),
      /** Null where external results do not say. */
      pairs: z.number().int().nullable(),
      method: z.string(),
      corruption: z.string(),
      direction: d.Direction,
      metric: z.string(),
      metricName: d.MetricName,
      positive: z.array(z.string()),
      negative: z.array(z.string()),
      /** With the first row; null for itself and for grids of another size. */
      spearman: Share,
    }),
  ),
});
export type DetectionTable = z.infer<typeof DetectionTable>;

/** One grid and metric in any number of results. */
export const SeveralView = z.object({
  columns: z.array(
    z.object({
      ref: d.ResultRef,
      label: z.string(),
      name: z.string(),
      model: z.string(),
      external: z.string().nullable(),
      grid: d.EffectGrid,
    }),
  ),
  /** Rank correlation of any two, row by row; null where the grids differ in size. */
  spearman: z.array(z.array(Share)),
});
export type SeveralView = z.infer<typeof SeveralView>;

/** Why a metric has no ratios stands beside its name. */
const ScatterAxis = z.object({ metric: d.MetricName, label: z.string(), noRatio: z.string().nullable() });

/** Two metrics of one sweep, site by site. */
export const MetricScatter = z.object({
  label: z.string(),
  x: ScatterAxis,
  y: ScatterAxis,
  points: z.array(
    z.object({
      layer: z.number().int(),
      column: z.number().int(),
      site: z.string(),
      a: z.number(),
      b: z.number(),
      where: z.enum(['both', 'a', 'b', 'none']),
    }),
  ),
  clusters: z.number().int(),
  /** Rank correlation over the sites with its 95 % interval over clusters; null where there is none. */
  spearman: Share,
  low: Share,
  high: Share,
});
export type MetricScatter = z.infer<typeof MetricScatter>;

export const compare = {
  types: method(z.object({ id: d.SweepId, ...d.SweepHookGrid.shape, metric: d.MetricName }), TypeComparison),
  several: method(
    z.object({ ids: z.array(d.AnyResult).min(1).max(40), ...d.SweepHookGrid.shape }),
    DetectionTable,
  ),
  grids: method(
    z.object({
      refs: z.array(d.AnyResult).min(1).max(24),
      ...d.SweepHookGrid.shape,
      metric: d.MetricName,
    }),
    SeveralView,
  ),
  metrics: method(
    z.object({ id: d.SweepId, ...d.SweepHookGrid.shape, x: d.MetricName, y: d.MetricName }),
    MetricScatter,
  ),
  view: method(
    z.object({ a: d.AnyResult, b: d.AnyResult, ...d.SweepHookGrid.shape, metric: d.MetricName }),
    ComparisonView,
  ),
  list: method(
    none,
    z.array(
      z.object({
        id: d.ComparisonId,
        a: d.ResultRef,
        b: d.ResultRef,
        name: z.string(),
        createdAt: d.Timestamp,
      }),
    ),
  ),
  save: method(
    z.object({ a: d.AnyResult, b: d.AnyResult, name: z.string().trim().min(1) }),
    z.object({ id: d.ComparisonId }),
  ),
};

export const FigureRequest = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('sweep'),
    id: d.SweepId,
    ...d.SweepHookGrid.shape,
    metric: d.MetricName,
  }),
  z.object({
    kind: z.literal('external'),
    id: d.ExternalResultId,
    ...d.SweepHookGrid.shape,
    metric: d.MetricName,
  }),
  z.object({
    kind: z.literal('comparison'),
    a: d.AnyResult,
    b: d.AnyResult,
    ...d.SweepHookGrid.shape,
    metric: d.MetricName,
  }),
  z.object({
    kind: z.literal('layers'),
    ids: z.array(d.AnyResult).min(1),
    ...d.SweepHookGrid.shape,
    metric: d.MetricName,
    /** Position or head whose layers are drawn; the first where absent. */
    column: z.number().int().nonnegative().optional(),
  }),
  z.object({
    kind: z.literal('several'),
    refs: z.array(d.AnyResult).min(1).max(24),
    ...d.SweepHookGrid.shape,
    metric: d.MetricName,
  }),
  z.object({
    kind: z.literal('metrics'),
    id: d.SweepId,
    ...d.SweepHookGrid.shape,
    x: d.MetricName,
    y: d.MetricName,
  }),
  z.object({ kind: z.literal('types'), id: d.SweepId, ...d.SweepHookGrid.shape, metric: d.MetricName }),
  z.object({ kind: z.literal('training'), id: d.TrainingRunId }),
  z.object({ kind: z.literal('flow') }),
]);
export type FigureRequest = z.infer<typeof FigureRequest>;

export const report = {
  get: method(none, d.Report),
  save: method(d.Report, d.Report),
  /** Self-contained HTML for the live preview, and the warnings it carries. */
  preview: method(none, z.object({ html: z.string(), warnings: z.array(z.string()) })),
  export: method(z.object({ format: z.enum(['html']) }), Download),
  /** The tables of a view as one CSV, one below the other. */
  viewTable: method(z.object({ view: d.ResultViewRequest }), Download),
  /** What a view shows: its notes, and its tables as they are written. */
  view: method(
    z.object({ view: d.ResultViewRequest }),
    z.object({ title: z.string(), notes: z.array(z.string()), tables: z.array(d.ResultTable) }),
  ),
  figure: method(z.object({ figure: FigureRequest, options: d.FigureOptions }), Download),
  /** The methods sentence of one sweep, from its record. */
  methods: method(z.object({ id: d.SweepId }), z.object({ text: z.string() })),
};

export const jobs = {
  list: method(none, z.array(d.Job)),
  pause: method(z.object({ id: d.JobId }), ok),
  resume: method(z.object({ id: d.JobId }), ok),
  stop: method(z.object({ id: d.JobId }), ok),
  log: method(z.object({ id: d.JobId }), z.array(z.object({ at: d.Timestamp, line: z.string() }))),
};
