import type { ModelConfig } from '../../../shared/domain/index.ts';
import { KEY_MASK, keyMaskValues } from '../../engine/nn/keyMask.ts';
import type { MaskInput } from '../../engine/nn/dropout.ts';
import type { TrainGraphOptions } from '../../engine/nn/trainGraph.ts';
import { f32, i64, type SessionFactory, type Value } from '../sessions.ts';
import type { MicroBatch } from './batches.ts';
import { dropoutMask, type MaskKey } from './masks.ts';
import type { ParameterStore } from './parameters.ts';

/** What every way of computing loss and gradients works with. */
export interface PassContext {
  readonly sessions: SessionFactory;
  readonly store: ParameterStore;
  readonly config: ModelConfig;
  readonly dropout: number;
  readonly hidePadding: boolean;
  /** Memory for everything beside parameters and optimiser state, in bytes. */
  readonly workBytes: number;
}

export interface PassBatch {
  readonly batch: MicroBatch;
  /** Decides the dropout masks together with the place in the model. */
  readonly key: Omit<MaskKey, 'site'>;
  /** Whether gradients of an earlier batch are in the store, to be added to. */
  readonly adding: boolean;
}

/** One way of computing a batch's loss and gradients. */
export interface Pass {
  /**
   * Writes the batch's gradients into the store, or adds them; returns its part of the loss. `between` is called
   * before every run of a graph; it throws to stop, and then the gradients are incomplete.
   */
  run(batch: PassBatch, between: () => void): Promise<number>;
  close(): Promise<void>;
}

/** The graphs' options for a shape of batch. */
export function graphOptions(context: PassContext, rows: number, width: number): TrainGraphOptions {
  const { config, store, dropout, hidePadding } = context;
  return { config, parameters: store.parameters, batch: rows, length: width, dropout, hidePadding };
}

/** The batch itself, as feeds of any of the graphs. */
export function batchFeeds(batch: MicroBatch): Record<string, Value> {
  const { rows, width, ids, labels, weights, lengths } = batch;
  return {
    ids: i64(ids, [rows, width]),
    labels: i64(labels, [labels.length]),
    weights: f32(weights, [weights.length, 1]),
    [KEY_MASK]: f32(keyMaskValues(lengths, width), [rows, 1, 1, width]),
  };
}

/** The dropout masks that a graph wants. */
export function maskFeeds(
  masks: readonly MaskInput[],
  key: PassBatch['key'],
  dropout: number,
): Record<string, Value> {
  return Object.fromEntries(
    masks.map(({ name, shape, site }) => {
      const size = shape.reduce((n, s) => n * s, 1);
      return [name, { data: dropoutMask({ ...key, site }, size, dropout), dims: shape }];
    }),
  );
}
