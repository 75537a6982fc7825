import { z } from 'zod';
import {
  CreateModelOptions,
  Direction,
  FreezeOptions,
  MetricName,
  PairLine,
  PresetName,
  TrainingConfig,
  TRAINING_PRESETS,
} from '../../../shared/domain/index.ts';

const { name: _name, tokenizer: _tokenizer, ...sizes } = CreateModelOptions.shape;

const CreateModel = z.strictObject({
  ...sizes,
  seed: sizes.seed.default(42),
  name: CreateModelOptions.shape.name.default('base'),
  /** `gpt2`, `sample`, or a folder with a tokenizer. */
  tokenizer: z.string().min(1).default('gpt2'),
});

const Train = z.strictObject({
  ...TrainingConfig.partial().shape,
  preset: PresetName.default('quick'),
  name: z.string().trim().min(1).max(80).default('fine-tuned'),
});

const SweepPart = z.strictObject({
  /** Short or full hook names. */
  hooks: z.array(z.string().min(1)).min(1).default(['resid_pre', 'attn_out', 'mlp_out', 'z']),
  positions: z.enum(['each', 'all']).optional(),
  directions: z.array(Direction).min(1).default(['denoising', 'noising']),
  metrics: z.array(MetricName).min(1).default(['logit_diff']),
  /** A pair, or a mean over pairs, with a smaller gap between its baselines has no recovery. */
  epsilon: z.number().positive().default(0.05),
  bos: z.enum(['auto', 'yes', 'no']).default('auto'),
  seed: z.number().int().nonnegative().default(42),
});

/**
 * The main job as one file (`engram run SPEC.json`): import … report. Paths are relative to the file.
 * Parts left out are skipped: without `train` the base model is swept, without `pairs` nothing is.
 */
export const RunSpec = z.strictObject({
  name: z.string().trim().min(1).max(120).default('Study'),
  import: z.array(z.string().min(1)).min(1),
  /** `COLUMN=FIELD` for CSV columns without a known name. */
  columns: z.array(z.string()).default([]),
  terms: z.array(z.string().trim().min(1)).min(1).max(12).optional(),
  exclude: z.array(z.strictObject({ query: z.string().min(1), reason: z.string().min(1) })).default([]),
  dataset: z
    .strictObject({ ...FreezeOptions.shape, name: FreezeOptions.shape.name.default('dataset') })
    .prefault({}),
  model: z.union([
    z.strictObject({ folder: z.string().min(1), name: z.string().trim().min(1).max(80).optional() }),
    z.strictObject({ create: CreateModel }),
  ]),
  train: Train.optional(),
  /** A PAIRS.jsonl file, or the pairs themselves. */
  pairs: z.union([z.string().min(1), z.array(PairLine).min(1)]).optional(),
  sweep: SweepPart.prefault({}),
  report: z.strictObject({ title: z.string().optional(), author: z.string().default('') }).prefault({}),
});
export type RunSpec = z.infer<typeof RunSpec>;

/** The preset with the file's own values over it; changed values make it `own`. */
export function trainingConfig({ name: _unused, ...own }: NonNullable<RunSpec['train']>): TrainingConfig {
  const base = TRAINING_PRESETS[own.preset];
  const changed = Object.entries(own).filter(([key, value]) => key !== 'preset' && value !== undefined);
  return changed.length === 0
    ? base
    : TrainingConfig.parse({ ...base, ...Object.fromEntries(changed), preset: 'own' });
}

/** What `engram run` and `engram demo` print with `--json`. */
export const RunResult = z.object({
  study: z.string(),
  report: z.string(),
  figures: z.array(z.string()),
  training: z
    .object({
      model: z.string(),
      steps: z.number().int(),
      epochs: z.number().int(),
      best_epoch: z.number().int().nullable(),
      stopped_early: z.boolean(),
      validation_loss_before: z.number().nullable(),
      validation_loss_after: z.number().nullable(),
      perplexity_before: z.number().nullable(),
      perplexity_after: z.number().nullable(),
      seconds: z.number(),
    })
    .nullable(),
  pairs: z.object({
    total: z.number().int(),
    accuracy_before: z.number().nullable(),
    accuracy_after: z.number().nullable(),
  }),
  records: z.object({ added: z.number().int(), duplicates: z.number().int(), rejected: z.number().int() }),
  dataset: z.object({ train: z.number().int(), validation: z.number().int() }),
  sweeps: z.array(
    z.object({ label: z.string(), name: z.string(), sites: z.number().int(), strongest: z.string() }),
  ),
  warnings: z.array(z.string()),
  steps: z.array(z.object({ name: z.string(), ms: z.number() })),
});
export type RunResult = z.infer<typeof RunResult>;
