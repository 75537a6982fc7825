import { count, fixed, plural } from '../format.ts';

const percent = (share: number | null) => `${fixed(share === null ? null : share * 100, 0)} %`;
const range = ({ low, high }: { readonly low: number | null; readonly high: number | null }) =>
  `${fixed(low === null ? null : low * 100, 0)} to ${fixed(high === null ? null : high * 100, 0)}`;

const points = (share: number | null) => fixed(share === null ? null : share * 100, 0);
const plainPoints = (share: number) => plural(Math.round(share * 100), 'point');

interface Interval {
  readonly low: number | null;
  readonly high: number | null;
}

export const compare = {
  meta: 'results on one scale',
  metaMetric: (metric: string) => `on one scale, ${metric}`,
  views: 'What is compared',
  viewNames: {
    sites: 'Site by site',
    layers: 'By layer',
    several: 'Several',
    types: 'Question types',
    metrics: 'Metrics',
    detection: 'Detected',
    settings: 'Settings',
  },
  viewNotes: {
    metrics: 'two metrics of one sweep against each other',
    detection: 'by corruption, method and metric, beside published heads',
    settings: 'of both, differences first',
  },
  more_: 'More',
  moreViews: 'More views',
  external: 'External',
  externals: {
    title: 'External results',
    text: 'Effects that another program computed: tables of effects or a result of engram patch as JSON, or a table of effects as CSV or JSON lines.',
    metric: 'Metric',
    direction: 'Direction',
    asFile: 'as the file says',
    directions: { denoising: 'denoising', noising: 'noising' },
    none: 'None yet. Results that you import stand beside your own sweeps, marked as external.',
    noSource: 'The file does not say where it comes from.',
    facts: (file: string, format: string, tables: number, day: string) =>
      `${file}, ${format}, ${plural(tables, 'table')}, imported ${day}`,
    checksum: (sha256: string) => `SHA-256 ${sha256.slice(0, 12)}…`,
    remarks: (n: number) => plural(n, 'remark'),
    remove: (label: string) => `Remove ${label}`,
    import: 'Import results',
  },
  externalNote: (file: string, sites: number, pairs: number | null) =>
    `${file}, ${plural(sites, 'site')}${pairs === null ? '' : ` × ${plural(pairs, 'pair')}`}`,
  externalMenuNote: (file: string) => `external, ${file}`,
  panel: (label: string, name: string) => `${label}  ${name}`,
  externalPanel: (label: string, name: string) => `${label === '' ? '' : `${label}  `}${name} (external)`,
  notStated: 'not stated',
  result: 'Result',
  severalTitle: (n: number) => `${plural(n, 'result')} on one scale`,
  severalChoose: 'Choose results',
  severalSection: (labels: readonly string[]) => `${labels.join(', ')} site by site`,
  severalTable: 'Every site of every result',
  severalLabel: (n: number) => `${plural(n, 'heatmap')} on one colour scale`,
  agreement: 'Rank correlation (Spearman) over sites in both',
  noRatioTitle: (label: string) => `${label} has no recovery here.`,
  metricsNone: 'No sweep here has two metrics',
  metricsNoneText: 'Run a sweep of this site with several metrics, such as the corruption × metric matrix.',
  across: 'across',
  up: 'up',
  metricsSection: (label: string, x: string, y: string) => `${label}: ${x} against ${y}`,
  metricsRho: (rho: string) => `Spearman ${rho}`,
  metricsInterval: (sites: number, interval: string, pairs: number) =>
    `over ${plural(sites, 'site')}, 95 % interval ${interval} (${plural(pairs, 'independent pair')}).`,
  metricsNoInterval: (sites: number, pairs: number) =>
    `over ${plural(sites, 'site')}; ${plural(pairs, 'independent pair')} give no interval.`,
  metricsTable: 'Every site by both metrics',
  metricsLabel: (n: number, x: string, y: string) =>
    `One dot for each of ${plural(n, 'site')}: ${x} across, ${y} up`,
  typesSection: (label: string) => `${label}: question types`,
  typesExternal: 'The pairs of external results are not in the study, so their types are unknown.',
  overlapOf: ({ k, shared }: { readonly k: number; readonly shared: number }) =>
    `top ${count(k)}: ${count(shared)}`,
  overlapTitle: ({ k, shared }: { readonly k: number; readonly shared: number }) =>
    `${count(shared)} of the ${count(k)} strongest sites of A are among the ${count(k)} strongest of B`,
  detection: 'Detected, all sweeps',
  typesOf: (letter: string, label: string, name: string) => `${letter}: ${label} ${name}`,
  typesNone: 'Question types are not compared',
  typesTable: 'Localisation by question type',
  typeRow: (type: string, clusters: number) => `${type}, ${count(clusters)}`,
  typeColumns: (k: number) => [
    'Type',
    'Independent pairs',
    `Share of top ${k}`,
    '95 % interval',
    'Gini',
    'Participation ratio',
  ],
  typeNoInterval: 'too few pairs',
  typeInterval: (low: number | null, high: number | null) => `${fixed(low, 2)} to ${fixed(high, 2)}`,
  typeOpen: (a: string, b: string) => `${a} against ${b}: not settled by these data.`,
  typeSettled: (more: string, less: string) => `${more} is more localized than ${less}.`,
  typeDifference: (a: string, b: string, value: number, low: number | null, high: number | null) =>
    `Share of ${a} minus ${b}: ${fixed(100 * value, 0)} points, 95 % interval ${range({ low, high })}.`,
  typeP: (p: string, holm: string) => `Permutation of type labels: p ${p}, after Holm ${holm}.`,
  detectNone: 'none',
  detectColumns: [
    'Sweep',
    'Model',
    'Method',
    'Corruption',
    'Metric',
    'Pairs',
    'Detected, helps',
    'Detected, hurts',
    'Spearman with the first row',
  ],
  publishedHeads: 'Published heads',
  publishedTask: 'Published task',
  publishedTasks: {
    'ioi-s2': 'IOI, S2 corrupted',
    'ioi-s1-io': 'IOI, S1 and IO corrupted',
    'greater-than': 'Greater-than',
  },
  publishedColumns: ['Corruption', 'Metric', 'Detected, helps', 'Detected, hurts'],
  publishedNote: 'Comparable only with sweeps of the same model, task and corrupted tokens.',
  site: 'Patched site',
  metric: 'Metric',
  saved: 'Saved comparisons',
  savedCount: (n: number) => `${count(n)} saved`,
  swap: 'Swap A and B',
  toReport: 'Add to report',
  inReport: 'In the report',
  name: (a: string, b: string) => `${a} and ${b}`,

  empty: 'Nothing to compare yet',
  emptyText: (finished: number) =>
    `Comparing needs two finished sweeps, such as one on the base model and one on the fine-tuned model. ${finished === 0 ? 'There is none yet.' : 'There is one.'}`,
  goSweeps: 'Open Sweeps',
  choose: (letter: string) => `Choose sweep ${letter}`,
  runNote: (time: string, sites: number, pairs: number) =>
    `finished ${time}, ${plural(sites, 'site')} × ${plural(pairs, 'pair')}`,
  menuNote: (model: string, pairs: string) => `${model}, ${pairs}`,
  notFinished: (status: string) => `not finished: ${status}`,
  theOther: (letter: string) => `already chosen as ${letter}`,

  differ: 'Settings that differ',
  alsoDiffer: (names: string) => `also ${names}`,
  allEqual: 'All settings are equal',
  othersEqual: (n: number) => `${count(n)} ${n === 1 ? 'other is' : 'others are'} equal`,
  equal: 'Equal in both',
  settingName: 'Setting',

  nothingShared: 'These sweeps share no site and metric',
  nothingSharedText: (a: string, b: string) =>
    `${a} and ${b} can be compared only where both patch the same site over the same axes and measure the same metric.`,
  loading: 'Reading both sweeps and working out intervals.',

  question: 'Is the effect more localized in one of them?',
  verdict: {
    open: 'Not settled by these data.',
    a: 'More localized in A.',
    b: 'More localized in B.',
  },
  shares: (k: number, a: number | null, b: number | null) =>
    `The top ${k} sites carry ${percent(a)} of the positive effect in A and ${percent(b)} in B.`,
  overlap: (a: Interval, b: Interval, n: number) =>
    `The 95 % intervals overlap: ${range(a)} and ${range(b)} (n = ${plural(n, 'cluster')}).`,
  apart: (a: Interval, b: Interval, n: number) =>
    `The 95 % intervals lie apart: ${range(a)} and ${range(b)} (n = ${plural(n, 'cluster')}).`,
  paired: (d: Interval & { readonly value: number }, n: number) =>
    `The difference, ${plainPoints(d.value)}, has a 95 % interval from ${points(d.low)} to ${points(d.high)} (n = ${plural(n, 'cluster')}).`,
  externalIntervals: (labels: readonly string[]) =>
    `${labels.join(' and ')} ${labels.length > 1 ? 'are' : 'is'} external: no pairs, so no intervals to compare.`,
  noIntervals: (n: number) => `There are no intervals: ${plural(n, 'cluster')} of pairs are too few.`,
  residual: 'Residual-stream sites carry everything before them and are no components, so no share is given.',
  undefinedSites: 'Not defined for these sites.',
  notComparable: 'Not comparable.',
  noEffect: (sides: readonly string[]) =>
    `${sides.join(' and ')} ${sides.length > 1 ? 'have' : 'has'} no effect to compare.`,
  noGap: (gaps: readonly (number | null)[]) =>
    `The mean gap between clean and corrupted is ${gaps.map((gap) => fixed(gap, 3)).join(' and ')}: the model does not tell the prompts apart, so there is nothing to restore.`,
  directions:
    'One sweep restores the answer and the other breaks it, so their shares are of different things.',
  noisingShare: 'Under noising a positive effect is that of a site which worked against the answer.',
  noPositive: 'No site of one sweep has a positive effect to share out.',
  agree: 'Gini and participation ratio agree.',
  disagree: 'Gini or participation ratio says otherwise.',
  noTest: 'The difference itself was not tested: the grids cannot be paired.',
  pairedDraws: 'Both sweeps were resampled together.',
  differencePoints: 'B minus A, points',
  differenceRow: 'Difference',
  differenceOf: (value: number, low: number, high: number) =>
    `Difference of the shares ${points(value)} points, interval ${points(low)} to ${points(high)}`,
  shareTitle: (k: number) => `Share of effect in top ${k} sites`,
  interval: '95 % interval',
  shareLabel: (k: number) => `Share of the positive effect in the top ${k} sites of A and B with intervals`,
  rowLabel: (letter: string, label: string, n: number) => `${letter}, ${label}, n ${count(n)}`,
  indices: 'Other indices',
  gini: 'Gini',
  participation: 'Participation ratio',

  heatmap: (letter: string, label: string) => `${letter}, ${label}: recovery by layer and column`,
  difference: 'B minus A',
  differenceLabel: 'B minus A: difference of recovery by layer and column',
  sameScale: 'same scale',
  detected: (n: number) => `${count(n)} detected`,
  axes: {
    layer: 'layer up, all positions at once',
    layer_position: 'layer up, tokens across',
    layer_head: 'layer up, head across',
    layer_head_position: 'layer up, head and token across',
    layer_span: 'layer up, span across',
    layer_head_span: 'layer up, head and span across',
    layer_neuron: 'layer up, neuron across',
  },
  readout: (site: string, a: string, b: string, difference: string) =>
    `${site}: A ${a}, B ${b}, B − A ${difference}`,

  scatter: {
    layer: 'Layer by layer',
    layer_position: 'Site by site',
    layer_head: 'Head by head',
    layer_head_position: 'Site by site',
    layer_span: 'Site by site',
    layer_head_span: 'Site by site',
    layer_neuron: 'Neuron by neuron',
  },
  scatterLabel: (n: number) => `One dot for each of ${plural(n, 'site')}: A across, B up`,
  rho: (value: number | null) => `ρ ${fixed(value, 2)}`,
  spearman: 'Spearman',
  pearsonTitle: 'Pearson’s correlation of the recoveries',
  pearson: (value: number | null) => `r ${fixed(value, 2)}`,
  side: (letter: string, label: string) => `${letter}, ${label}`,
  noPoints: 'No site has a recovery in both sweeps.',

  either: 'Detected in either',
  eitherCount: ({ both, a, b }: { both: number; a: number; b: number }) =>
    `${count(both)} in both, ${count(a)} in A only, ${count(b)} in B only`,
  noneDetected: 'No site lies 2 SD from the mean of its grid.',
  columns: { site: 'Site', head: 'Head', where: 'Detected', layer: 'Layer', column: 'Column' },
  where: { both: 'both', a: 'A only', b: 'B only' },

  reading: 'Reading this',
  inBoth: 'In both:',
  onlyA: 'In A only:',
  onlyB: 'In B only:',
  more: (n: number) => `and ${count(n)} more`,
  baselines: (metric: string) => `Mean ${metric}, clean and corrupted`,
  baseline: (clean: number | null, corrupted: number | null) => `${fixed(clean, 2)}, ${fixed(corrupted, 2)}`,
  noRatio: (letter: string, why: string) => `${letter}: ${why}`,
  nearZero: (share: number, n: number) =>
    `${percent(share)} of the ${plural(n, 'site')} sit near zero in both, so the rank correlation mixes noise with signal. Read it with the scatter.`,
  few: (n: number) => `n = ${plural(n, 'pair')}. Intervals per site are wide.`,
  fromSweep: (label: string, text: string) => `${label}: ${text}`,

  layerTitle: 'Recovery over layers',
  layerLabel: (site: string) => `Recovery over layers at ${site}, one line a sweep`,
  column: {
    layer: 'Positions',
    layer_position: 'Token',
    layer_head: 'Head',
    layer_head_position: 'Head and token',
    layer_span: 'Span',
    layer_head_span: 'Head and span',
    layer_neuron: 'Neuron',
  },
  columnName: (index: number, text: string) => (text === '' ? `position ${index}` : `${index}  ${text}`),
  headName: (text: string) => `head ${text}`,
  seriesName: (letter: string, label: string) => `${letter}  ${label}`,

  tableLabel: 'Every site of both sweeps and their difference',
  layersTable: 'Recovery of both sweeps over layers',
  keyTable: 'Show the numbers or the charts',
  keyFigure: 'Export the comparison as SVG',
};
