import {
  sameGrid,
  smallestGap,
  type AttentionView,
  type LensView,
  type MetricName,
  type SiteVerification,
  type SweepHookGrid,
  type SweepId,
} from '../../../shared/domain/index.ts';
import { UserInputError } from '../../../shared/errors/index.ts';
import { toTokens } from '../../../shared/pairs/index.ts';
import { pairRecovery, ratioOfMeans, type Measured } from '../../engine/stats/index.ts';
import { patchRequest } from '../../jobs/sweep-request.ts';
import type { ComputeApi, PatchBlock } from '../../runtime/api.ts';
import type { Study, SweepInput } from '../../store/index.ts';
import { encodeContext, type ModelShelf } from '../models/shelf.ts';
import { patchCells } from './exact.ts';
import { cellMap, commonShape } from './layout.ts';

/** One prompt of a stored sweep. */
export interface SweepPrompt {
  readonly id: SweepId;
  /** Id of one of the pairs that the sweep was given. */
  readonly pair: string;
  readonly side: 'clean' | 'corrupted';
}

function inputOf(study: Study, { id, pair }: SweepPrompt): SweepInput {
  const input = study.sweeps.inputs(id).find((one) => one.id === pair);
  if (input !== undefined) return input;
  throw new UserInputError(
    'PAIR_NOT_IN_SWEEP',
    `The sweep has no pair “${pair}”.`,
    'Choose one of its pairs.',
  );
}

async function textOf(
  study: Study,
  shelf: ModelShelf,
  id: SweepId,
): Promise<{ folder: string; texts: (ids: readonly number[]) => string[] }> {
  const { spec } = study.sweeps.get(id);
  const model = await shelf.open(study, spec.modelId);
  const context = encodeContext(model, spec.bos);
  return {
    folder: model.folder,
    texts: (ids) => toTokens([...ids], context).map((token) => token.text),
  };
}

/** @throws UserInputError LAYER_OUTSIDE, HEAD_OUTSIDE, ATTENTION_TOO_LARGE. */
export async function attentionView(
  study: Study,
  shelf: ModelShelf,
  compute: ComputeApi,
  prompt: SweepPrompt & { readonly layer: number; readonly head: number },
): Promise<AttentionView> {
  const { layer, head } = prompt;
  const input = inputOf(study, prompt);
  const ids = input[prompt.side];
  const { folder, texts } = await textOf(study, shelf, prompt.id);
  const [pattern] = await compute.attention({ folder, prompts: [ids], layers: [layer] });
  const heads = pattern?.heads ?? 0;
  if (pattern === undefined || head < 0 || head >= heads) {
    throw new UserInputError(
      'HEAD_OUTSIDE',
      `Layer ${layer} has no head ${head}.`,
      `Heads count from 0 to ${heads - 1}.`,
    );
  }
  const square = ids.length ** 2;
  return {
    layer,
    head,
    heads,
    pair: input.id,
    tokens: texts(ids),
    weights: Array.from(pattern.weights.subarray(head * square, (head + 1) * square)),
  };
}

/** Tokens shown at every layer. */
const TOP = 5;

/** @throws UserInputError POSITION_OUTSIDE. */
export async function lensView(
  study: Study,
  shelf: ModelShelf,
  compute: ComputeApi,
  prompt: SweepPrompt & { readonly position: number | null },
): Promise<LensView> {
  const input = inputOf(study, prompt);
  const position = prompt.position ?? input.read;
  const ids = input[prompt.side];
  const { folder, texts } = await textOf(study, shelf, prompt.id);
  const track = [...new Set([...input.answer, ...input.wrong])];
  const lens = await compute.lens({ folder, prompt: ids, positions: [position], track, top: TOP });
  const at = new Map(track.map((id, u) => [id, u]));
  const top = lens.topIds.length / lens.layers;
  const sumOf = (values: Float32Array, layer: number, of: readonly number[]): number =>
    of.reduce((sum, id) => sum + (values[layer * track.length + (at.get(id) ?? -1)] ?? Number.NaN), 0);
  return {
    pair: input.id,
    position,
    token: texts(ids)[position] ?? '',
    layers: Array.from({ length: lens.layers }, (_, layer) => ({
      logitDiff:
        sumOf(lens.logits, layer, input.answer) / input.answer.length -
        sumOf(lens.logits, layer, input.wrong) / input.wrong.length,
      answer: sumOf(lens.probs, layer, [...new Set(input.answer)]),
      wrong: sumOf(lens.probs, layer, [...new Set(input.wrong)]),
      top: texts([...lens.topIds.subarray(layer * top, (layer + 1) * top)]).map((token, k) => ({
        token,
        probability: lens.topProbs[layer * top + k] ?? 0,
      })),
    })),
  };
}

export interface SiteQuery extends Readonly<SweepHookGrid> {
  readonly id: SweepId;
  readonly metric: MetricName;
  readonly layer: number;
  readonly column: number;
}

/**
 * Patches one site of an estimated sweep exactly, for every pair.
 * @throws UserInputError GRID_NOT_IN_SWEEP, SITE_UNKNOWN.
 */
export async function verifySite(
  study: Study,
  compute: ComputeApi,
  query: SiteQuery,
): Promise<SiteVerification> {
  const started = performance.now();
  const { spec, label } = study.sweeps.get(query.id);
  const g = spec.grids.findIndex((one) => sameGrid(one, query));
  const m = spec.metrics.indexOf(query.metric);
  const grid = spec.grids[g];
  if (grid === undefined || m < 0) {
    throw new UserInputError(
      'GRID_NOT_IN_SWEEP',
      `${label} has no such grid.`,
      'Choose one of its hooks and metrics.',
    );
  }
  const stored = study.blocks.read(query.id, g, m).map((block): PatchBlock => ({
    ...block,
    grid: 0,
    draw: 0,
    raw: [block.raw],
    clean: [block.clean],
    corrupted: [block.corrupted],
  }));
  const shape = commonShape(stored.map((block) => block.shape));
  const columns = shape.slice(1).reduce((n, extent) => n * extent, 1);
  const cell = query.layer * columns + query.column;
  if (query.layer < 0 || query.layer >= (shape[0] ?? 0) || query.column < 0 || query.column >= columns) {
    throw new UserInputError(
      'SITE_UNKNOWN',
      `The grid has no layer ${query.layer}, column ${query.column}.`,
      'Choose a cell.',
    );
  }
  const request = { ...patchRequest(study, query.id), grids: [grid], metrics: [query.metric] };
  const exact = await patchCells(compute, request, stored, [[cell]]);
  const measured = (blocks: readonly PatchBlock[], pair: number): Measured | null => {
    const block = blocks.find((one) => one.pair === pair);
    const at = block === undefined ? -1 : (cellMap(shape, block.shape)[cell] ?? -1);
    const [raw, clean, corrupted] = [block?.raw[0]?.[at], block?.clean[0], block?.corrupted[0]];
    return raw === undefined || clean === undefined || corrupted === undefined
      ? null
      : { raw, clean, corrupted };
  };
  const both = request.pairs.flatMap(({ id }, pair) => {
    const [estimate, patched] = [measured(stored, pair), measured(exact, pair)];
    return estimate === null || patched === null ? [] : [{ id, estimate, patched }];
  });
  const { direction } = spec;
  const epsilon = smallestGap(query.metric, spec.epsilon);
  return {
    estimated: ratioOfMeans(
      direction,
      both.map(({ estimate }) => estimate),
      epsilon,
    ),
    exact: ratioOfMeans(
      direction,
      both.map(({ patched }) => patched),
      epsilon,
    ),
    milliseconds: performance.now() - started,
    pairs: both.map(({ id, estimate, patched }) => ({
      id,
      estimated: pairRecovery(direction, estimate, epsilon),
      exact: pairRecovery(direction, patched, epsilon),
    })),
  };
}
