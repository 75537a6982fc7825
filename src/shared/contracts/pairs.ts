import { z } from 'zod';
import * as d from '../domain/index.ts';
import { method } from './define.ts';
import { Download, none, ok } from './common.ts';

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
