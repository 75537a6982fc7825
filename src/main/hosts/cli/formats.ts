import { z } from 'zod';
import {
  EpochPoint,
  ExternalSummary,
  HubListing,
  HubManifest,
  Model,
  PairLine,
  PatchResult,
  Source,
  TaskResult,
  TaskSpec,
  TrainingRun,
} from '../../../shared/domain/index.ts';
import { RunResult, RunSpec } from '../../services/main-job/spec.ts';
import { VerifyResult } from '../../services/verify.ts';

const RankedToken = z.object({
  id: z.number().int(),
  token: z.string(),
  logit: z.number(),
  prob: z.number(),
});

/** `engram logits --json`. */
const LogitsOutput = z.object({
  ids: z.array(z.number().int()),
  tokens: z.array(z.string()),
  /** Best first. */
  top: z.array(RankedToken),
  /** What computed: `cpu` where the provider asked for could not be used. */
  provider: z.string(),
  /** With `--all`: every logit of every position. */
  logits: z.array(z.array(z.number())).optional(),
});

const Prompt = { ids: z.array(z.number().int()), tokens: z.array(z.string()) };

/** `engram lens --json`. */
const LensOutput = z.object({
  ...Prompt,
  positions: z.array(z.number().int()),
  /** Tokens of `--track`. */
  tracked: z.array(z.object({ id: z.number().int(), token: z.string() })),
  /** Before each block, and behind the last one; then position by position. */
  layers: z.array(
    z.array(
      z.object({
        top: z.array(z.object({ id: z.number().int(), token: z.string(), prob: z.number() })),
        logits: z.array(z.number()),
        probs: z.array(z.number()),
      }),
    ),
  ),
});

/** Parts of the logit difference of one prompt; they add up to it. */
const DlaParts = z.object({
  logit_diff: z.number(),
  embed: z.number(),
  pos_embed: z.number(),
  /** Per layer. */
  attn_out: z.array(z.number()),
  mlp_out: z.array(z.number()),
  /** Layer by layer, head by head; with `attn_bias` they add up to `attn_out`. */
  heads: z.array(z.array(z.number())),
  attn_bias: z.array(z.number()),
  /** Biases of the final norm and the unembedding. */
  constant: z.number(),
});

/** `engram dla --json`. */
const DlaOutput = z.object({
  model: z.string(),
  pairs: z.array(z.object({ id: z.string(), clean: DlaParts, corrupted: DlaParts })),
});

/** `engram attention --json`. */
const AttentionOutput = z.object({
  ...Prompt,
  layers: z.array(z.number().int()),
  /** Layer by layer, head by head: rows are queries, columns keys up to the query. */
  patterns: z.array(z.array(z.array(z.array(z.number())))),
});

/** `engram patch --plan --json`. */
export const PatchPlanOutput = z.object({
  /** Sites × pairs (× draws), and those of them that are zero by construction. */
  effects: z.number().int(),
  structural_zeros: z.number().int(),
  /** Unpatched runs, and the groups they are packed in. */
  base_runs: z.number().int(),
  groups: z.number().int(),
  /** Patched runs that are computed, and the packed batches they go in. */
  runs: z.number().int(),
  batches: z.number().int(),
  /** Tokens that pass a whole block, summed over blocks. */
  block_rows: z.number().int(),
  /** Operations of the matrix products that remain. */
  floor_flops: z.number(),
  /** Working memory of the largest batch. */
  peak_bytes: z.number(),
  /** Expected on this machine. */
  seconds: z.number(),
});

/** `engram import --json`. */
const ImportOutput = z.object({ study: z.string(), complete: z.boolean(), sources: z.array(Source) });

/** `engram model get --json`. */
const ModelGetOutput = z.object({
  manifest: HubManifest,
  /** Where the files lie. */
  folder: z.string(),
  /** With a study: the model in it. */
  model: Model.nullable(),
});

/** `engram train --json`. */
const TrainOutput = z.object({
  run: TrainingRun,
  epochs: z.array(EpochPoint),
  base: Model,
  model: Model.nullable(),
});

/** `engram serve --json`. */
const ServeOutput = z.object({ url: z.string(), port: z.number().int() });

/** `engram report --json`. */
const ReportOutput = z.object({ report: z.string(), warnings: z.array(z.string()) });

/** `engram export --json --out FILE`. */
const ExportOutput = z.object({
  out: z.string(),
  what: z.string(),
  format: z.string(),
  rows: z.number().int(),
});

interface Format {
  readonly schema: z.ZodType;
  readonly title: string;
  /** Whether people write it (defaults may be left out) or Engram does. */
  readonly io: 'input' | 'output';
}

/** Every format that scripts may rely on; each has a JSON schema of this name in resources/schemas. */
export const FORMATS = {
  pair: { schema: PairLine, title: 'One line of PAIRS.jsonl', io: 'input' },
  'run-spec': { schema: RunSpec, title: 'SPEC.json of engram run', io: 'input' },
  task: { schema: TaskSpec, title: 'Settings of a task for engram pairs generate', io: 'input' },
  'pairs-result': { schema: TaskResult, title: 'Result of engram pairs generate', io: 'output' },
  'patch-result': { schema: PatchResult, title: 'Result of engram patch and engram sweep', io: 'output' },
  'patch-plan': { schema: PatchPlanOutput, title: 'Result of engram patch --plan', io: 'output' },
  'logits-result': { schema: LogitsOutput, title: 'Result of engram logits', io: 'output' },
  'lens-result': { schema: LensOutput, title: 'Result of engram lens', io: 'output' },
  'dla-result': { schema: DlaOutput, title: 'Result of engram dla', io: 'output' },
  'attention-result': { schema: AttentionOutput, title: 'Result of engram attention', io: 'output' },
  'run-result': { schema: RunResult, title: 'Result of engram run and engram demo', io: 'output' },
  'import-result': { schema: ImportOutput, title: 'Result of engram import', io: 'output' },
  'model-result': {
    schema: Model,
    title: 'Result of engram model import and engram model create',
    io: 'output',
  },
  'model-files': {
    schema: HubListing,
    title: 'Result of engram model get --list, and the file for --manifest',
    io: 'output',
  },
  'model-get-result': { schema: ModelGetOutput, title: 'Result of engram model get', io: 'output' },
  'train-result': { schema: TrainOutput, title: 'Result of engram train', io: 'output' },
  'serve-result': { schema: ServeOutput, title: 'First line of engram serve --json', io: 'output' },
  'report-result': { schema: ReportOutput, title: 'Result of engram report', io: 'output' },
  'export-result': { schema: ExportOutput, title: 'Result of engram export --out', io: 'output' },
  'external-result': {
    schema: ExternalSummary,
    title: 'Result of engram results import, and each entry of engram results list',
    io: 'output',
  },
  'verify-result': { schema: VerifyResult, title: 'Result of engram verify', io: 'output' },
} as const satisfies Record<string, Format>;

export type FormatName = keyof typeof FORMATS;

/** A format as JSON Schema (draft 2020-12), as it is kept in resources/schemas. */
export function jsonSchema(name: FormatName): string {
  const { schema, title, io } = FORMATS[name];
  return `${JSON.stringify({ title, ...z.toJSONSchema(schema, { io }) }, null, 2)}\n`;
}
