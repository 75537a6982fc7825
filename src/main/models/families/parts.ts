import { z } from 'zod';
import type { ModelConfig } from '../../../shared/domain/index.ts';
import { FormatError, UserInputError } from '../../../shared/errors/index.ts';
import type { WeightSpec } from './family.ts';

/** What the families' readers of config.json share. */
export const size = z.number().int().positive();
export const tokenId = z.union([z.number().int(), z.array(z.number().int())]).nullish();

/** Standard deviation of fresh weights (`initializer_range`). */
export const WEIGHT_STD = 0.02;

/** transformers' names for the activations that the engine has; the tanh forms of GELU are one function. */
const ACTIVATIONS: Readonly<Record<string, ModelConfig['activation']>> = {
  gelu_new: 'gelu_new',
  gelu_fast: 'gelu_new',
  gelu_pytorch_tanh: 'gelu_new',
  gelu: 'gelu',
  relu: 'relu',
  silu: 'silu',
  swish: 'silu',
};

/** Throws UserInputError `MODEL_OPTION_UNSUPPORTED` naming the key. */
export function activationOf(key: string, name: string, path: string): ModelConfig['activation'] {
  const activation = ACTIVATIONS[name];
  if (activation === undefined)
    throw unsupported(path, `${key} "${name}"`, Object.keys(ACTIVATIONS).join(', '));
  return activation;
}

/** The keys of config.json that a schema names. Throws FormatError `MODEL_CONFIG_INVALID` naming the key. */
export function parsedConfig<S extends z.ZodType>(schema: S, json: unknown, path: string): z.output<S> {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw invalid(path, `"${issue?.path.join('.') ?? ''}": ${issue?.message ?? 'unexpected content'}`);
}

/** Throws FormatError `MODEL_CONFIG_INVALID` where heads cannot share the width. */
export function headsDivide(width: number, heads: number, path: string): void {
  if (width % heads !== 0) throw invalid(path, `the width ${width} is not divisible by ${heads} heads`);
}

/** The first of several; null where the vocabulary has no such token (a default written for a larger one). */
export function specialToken(
  value: z.output<typeof tokenId>,
  vocabulary: number,
  fallback: number | null,
): number | null {
  if (value === null) return null;
  const id = Array.isArray(value) ? value[0] : (value ?? fallback);
  return id !== undefined && id !== null && id >= 0 && id < vocabulary ? id : null;
}

/** Gain and bias of a LayerNorm. */
export function normWeights(name: string, width: number): WeightSpec[] {
  return [
    { name: `${name}.weight`, shape: [width], init: { constant: 1 } },
    { name: `${name}.bias`, shape: [width], init: { constant: 0 } },
  ];
}

/** PyTorch's `Linear`: weights [out, in]. */
export function linearWeights(
  name: string,
  [from, to]: readonly [from: number, to: number],
  bias: boolean,
  std: number = WEIGHT_STD,
): WeightSpec[] {
  const weight: WeightSpec = { name: `${name}.weight`, shape: [to, from], init: { normal: std } };
  return bias ? [weight, { name: `${name}.bias`, shape: [to], init: { constant: 0 } }] : [weight];
}

export function invalid(path: string, what: string): FormatError {
  return new FormatError(
    'MODEL_CONFIG_INVALID',
    `${path}: ${what}.`,
    'Correct the file, or choose another folder.',
  );
}

export function unsupported(path: string, what: string, allowed: string): UserInputError {
  return new UserInputError(
    'MODEL_OPTION_UNSUPPORTED',
    `${path}: ${what} is not supported.`,
    `Supported: ${allowed}.`,
  );
}
