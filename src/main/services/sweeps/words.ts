import type { SweepHookGrid, SweepSource, SweepSpec } from '../../../shared/domain/index.ts';
import type { Study } from '../../store/index.ts';

/** A token or a span, in words. */
function placeWords(place: number | string): string {
  if (typeof place === 'string') return `span “${place}”`;
  if (place === -1) return 'the last token';
  return place < 0 ? `token ${-place} from the end` : `token ${place}`;
}

/** What narrows a grid beside its hook and axes, beginning with a comma; empty where nothing does. */
export function gridWords({ window, onlyLayers, spans, neurons, at, from }: SweepHookGrid): string {
  return [
    window === undefined ? '' : `, windows of ${window} layers patched together`,
    onlyLayers === undefined
      ? ''
      : `, ${onlyLayers.length === 1 ? 'layer' : 'layers'} ${onlyLayers.join(', ')} only`,
    spans === undefined ? '' : `, spans ${spans.join(', ')}`,
    neurons === undefined ? '' : `, neurons ${neurons.join(', ')}`,
    at === undefined ? '' : `, at ${placeWords(at)}`,
    from === undefined ? '' : ` from ${placeWords(from)} of the source run`,
  ].join('');
}

type Words = {
  readonly [K in SweepSource['kind']]: (study: Study, source: Extract<SweepSource, { kind: K }>) => string;
};

const SOURCE_WORDS: Words = {
  prompt: () => 'each pair’s third prompt',
  zero: () => 'zero (ablation)',
  mean: (_study, { perPosition }) =>
    perPosition
      ? 'the mean over the clean prompts of all pairs at the same position (ablation)'
      : 'the mean over all tokens of the clean prompts of all pairs (ablation)',
  resample: () => 'the clean prompt of another pair of the same length, drawn by the seed (ablation)',
  model: (study, { modelId }) => `the same clean prompt read by ${study.models.get(modelId).name}`,
};

/** Where pasted values come from. */
export function sourceWords(study: Study, { source }: SweepSpec): string {
  if (source === undefined) return 'the pair’s other prompt';
  return (SOURCE_WORDS[source.kind] as (study: Study, source: SweepSource) => string)(study, source); // by its kind
}
