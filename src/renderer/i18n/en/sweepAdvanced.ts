import { plural } from '../format.ts';

export const sweepAdvanced = {
  title: 'Advanced',
  all: 'all',
  grid: 'Grid',
  gridPlain: 'as the sentence says',
  gridNotes: {
    layer_span: 'named spans',
    layer_head_span: 'heads × named spans',
    layer_neuron: 'single neurons',
  },
  spans: 'Spans',
  spansNone: 'No span is named in every pair. Draw spans in the pair editor.',
  spansChoose: 'Choose at least one.',
  layer: 'Layer',
  layerAll: 'every layer',
  layerName: (layer: number) => `layer ${layer}`,
  neurons: 'Neurons',
  neuronsHint: 'Indices, or all.',
  neuronsBad: 'Write indices: 3, 17, 204.',
  place: 'Tokens patched',
  placeAll: 'every token',
  last: 'the last token',
  token: (at: number) => `token ${at}`,
  from: 'Values from',
  fromSame: 'the same place',
  source: 'Pasted from',
  sources: {
    pair: 'the pair’s other prompt',
    prompt: 'each pair’s third prompt',
    zero: 'zero (ablation)',
    mean: 'mean over all tokens (ablation)',
    meanPosition: 'mean by position (ablation)',
    resample: 'another pair’s prompt (ablation)',
  },
  sourceModel: (name: string) => `the clean prompt in ${name}`,
  said: {
    spans: (spans: readonly string[]) =>
      spans.length === 0 ? 'no span chosen' : `spans ${spans.join(', ')}`,
    neurons: (layer: number | null, neurons: readonly number[] | null) =>
      `${neurons === null ? 'all neurons' : plural(neurons.length, 'neuron')} of ${layer === null ? 'every layer' : `layer ${layer}`}`,
    place: (at: string, from: string | null) => (from === null ? `at ${at}` : `at ${at}, from ${from}`),
    source: (name: string) => `pasted from ${name}`,
  },
  axes: {
    layer_span: 'every layer × span',
    layer_head_span: 'every layer × head × span',
    layer_neuron: 'every neuron',
  },
  gridPart: {
    at: (at: string) => `at ${at}`,
    layers: (layers: readonly number[]) => `layer ${layers.join(', ')}`,
  },
};
