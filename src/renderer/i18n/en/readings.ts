import { count, plural } from '../format.ts';

export const readings = {
  menu: 'Readings',
  close: 'Back to the heatmap',
  names: {
    layers: 'Do the layers differ?',
    ratios: 'Position ratios',
    attention: 'Attention after a joint patch',
  },
  notes: {
    layers: 'Friedman’s test over layers, with every two compared',
    ratios: 'the last token of a span against its others, by corruption and metric',
    attention: 'patch sites together and read where other heads look',
  },
  notThisGrid: 'needs layer × position',
  notComplete: 'when the sweep is complete',
  working: 'Working out intervals',

  layers: {
    column: 'Column',
    allColumns: 'all measured columns',
    result: (w: string, statistic: string, degrees: number, p: string, clusters: number) =>
      `Kendall’s W = ${w}, Friedman χ²(${degrees}) = ${statistic}, p ${p.startsWith('<') ? p : `= ${p}`}, ${plural(clusters, 'cluster')} of pairs`,
    method: {
      'chi-square': 'p from the chi-square tail',
      permutation: 'p by 10,000 random orders of the layers within each cluster',
    },
    over: (columns: number) =>
      `Effects averaged within a layer over ${plural(columns, 'column')} that every tested layer has.`,
    leftOut: (layers: readonly number[]) => `Without a measured site there: layer ${layers.join(', ')}.`,
    table: 'Effect by layer',
    pairsTable: 'Layers two by two',
    columns: {
      layer: 'Layer',
      effect: 'Mean change',
      interval: '95 % interval',
      size: 'd',
      pair: 'Layers',
      difference: 'Difference',
      p: 'p',
      pHolm: 'p, Holm',
    },
    pairName: (a: number, b: number) => `${a} and ${b}`,
    sizeTitle: 'Cohen’s d of the clusters: mean / SD',
  },

  ratios: {
    span: 'Span',
    table: 'Ratios of positions by corruption and metric',
    sweep: 'Sweep',
    corruption: 'Corruption',
    metric: 'Metric',
    undefinedRatio: 'undefined',
    value: (value: string, interval: string) => (interval === '' ? value : `${value} [${interval}]`),
    of: (n: number, clusters: number) => `${plural(n, 'pair')}, ${plural(clusters, 'cluster')}`,
    parts: (top: string, bottom: string) => `${top} ÷ ${bottom}`,
    leftOut: (n: number) =>
      `${plural(n, 'pair')} without tokens at one of the places are left out of that ratio.`,
    published:
      'Zhang & Nanda 2024, section 4.1: with windows of 5 in GPT-2 XL, probability puts more of the effect on the last subject token than the logit difference does, under both corruptions. Sums over all layers; change of the metric, not recovery.',
  },

  attention: {
    hook: 'Patch',
    hooks: {
      'blocks.{layer}.attn.hook_z': 'outputs of heads',
      'blocks.{layer}.attn.hook_v': 'values of heads',
      'blocks.{layer}.attn.hook_q': 'queries of heads',
      'blocks.{layer}.attn.hook_k': 'keys of heads',
      'blocks.{layer}.attn.hook_pattern': 'patterns of heads',
    },
    heads: 'Heads patched together',
    headsBad: 'Write heads as layer.head: 7.3, 7.9.',
    place: 'At',
    placeAll: 'every token',
    last: 'the last token',
    watch: 'Heads watched',
    from: 'Looking from',
    to: 'Looking at',
    toHint: 'Spans or token numbers',
    toBad: 'Name at least one place.',
    run: 'Patch and read',
    running: 'Patching',
    table: 'Attention of the watched heads',
    columns: {
      head: 'Head',
      look: 'Looks at',
      clean: 'Clean',
      corrupted: 'Corrupted',
      patched: 'Patched',
      change: 'Change',
      interval: '95 % interval',
      size: 'd',
      pHolm: 'p, Holm',
      restored: 'Of the way',
    },
    restoredTitle: 'Change ÷ the whole way from the run patched into to the run patched from',
    metric: (label: string, corrupted: string, patched: string, clean: string) =>
      `${label}: corrupted ${corrupted}, patched ${patched}, clean ${clean}`,
    recovery: (recovery: string, interval: string) =>
      `${recovery} recovered${interval === '' ? '' : ` [${interval}]`}`,
    broken: (recovery: string, interval: string) =>
      `${recovery} of the gap${interval === '' ? '' : ` [${interval}]`}`,
    summary: (pairs: number, clusters: number, seconds: string) =>
      `${plural(pairs, 'pair')} in ${count(clusters)} clusters, ${seconds} s`,
    published:
      'Zhang & Nanda 2024, section 3.2 (GPT-2 small, IOI): restoring the S-inhibition heads brings the name movers’ attention from END back to IO under token replacement and fails to under Gaussian noise. The paper gives these values in its figures alone.',
    none: 'Choose heads to patch and heads to watch, then read.',
  },
};
