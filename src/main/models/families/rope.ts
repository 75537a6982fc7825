import { z } from 'zod';
import type { Rotary, RotaryScaling } from '../../../shared/domain/index.ts';
import { invalid, size, unsupported } from './parts.ts';

const positive = z.number().positive();

const Parameters = z
  .looseObject({
    rope_type: z.string().optional(),
    type: z.string().optional(),
    rope_theta: positive.optional(),
    partial_rotary_factor: positive.max(1).optional(),
    factor: positive.optional(),
    low_freq_factor: positive.optional(),
    high_freq_factor: positive.optional(),
    original_max_position_embeddings: size.optional(),
  })
  .nullish();
type Parameters = NonNullable<z.output<typeof Parameters>>;

/** The keys about rotation: `rope_parameters` is what transformers 5 writes, the others are older. */
export const RopeJson = z.object({
  rope_theta: positive.optional(),
  rope_scaling: Parameters,
  rope_parameters: Parameters,
});

const DEFAULT_BASE = 10_000;

function needed(value: number | undefined, key: string, path: string): number {
  if (value === undefined) throw invalid(path, `the scaling of positions has no "${key}"`);
  return value;
}

/** One row per kind of scaling that the engine has. */
const SCALINGS: Readonly<Record<string, (p: Parameters, path: string) => RotaryScaling | undefined>> = {
  default: () => undefined,
  linear: (p, path) => ({ type: 'linear', factor: needed(p.factor, 'factor', path) }),
  llama3: (p, path) => ({
    type: 'llama3',
    factor: needed(p.factor, 'factor', path),
    lowFrequencyFactor: needed(p.low_freq_factor, 'low_freq_factor', path),
    highFrequencyFactor: needed(p.high_freq_factor, 'high_freq_factor', path),
    originalContext: needed(p.original_max_position_embeddings, 'original_max_position_embeddings', path),
  }),
};

/**
 * How positions turn queries and keys of a head of `width`; `share` of it where the file does not say.
 * Throws UserInputError `MODEL_OPTION_UNSUPPORTED`, FormatError `MODEL_CONFIG_INVALID`.
 */
export function rotaryOf(
  json: z.output<typeof RopeJson>,
  layout: { readonly width: number; readonly share: number; readonly interleaved: boolean },
  path: string,
): Rotary {
  const parameters = json.rope_parameters ?? json.rope_scaling ?? {};
  const kind = parameters.rope_type ?? parameters.type ?? 'default';
  const scalingOf = SCALINGS[kind];
  if (scalingOf === undefined) {
    throw unsupported(path, `the scaling of positions "${kind}"`, Object.keys(SCALINGS).join(', '));
  }
  const dims = Math.floor(layout.width * (parameters.partial_rotary_factor ?? layout.share));
  if (dims < 2 || dims % 2 !== 0) throw invalid(path, `${dims} dimensions of a head cannot turn in pairs`);
  const scaling = scalingOf(parameters, path);
  return {
    base: parameters.rope_theta ?? json.rope_theta ?? DEFAULT_BASE,
    dims,
    interleaved: layout.interleaved,
    ...(scaling === undefined ? {} : { scaling }),
  };
}

/** The reverse, in keys that every version of transformers reads. */
export function ropeJson({ base, scaling }: Rotary): Record<string, unknown> {
  return { rope_theta: base, rope_scaling: scaling === undefined ? null : scalingJson(scaling) };
}

function scalingJson(scaling: RotaryScaling): Record<string, unknown> {
  if (scaling.type === 'linear') return { rope_type: 'linear', factor: scaling.factor };
  return {
    rope_type: 'llama3',
    factor: scaling.factor,
    low_freq_factor: scaling.lowFrequencyFactor,
    high_freq_factor: scaling.highFrequencyFactor,
    original_max_position_embeddings: scaling.originalContext,
  };
}
