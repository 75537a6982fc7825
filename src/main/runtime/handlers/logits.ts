import { UserInputError } from '../../../shared/errors/index.ts';
import { logitsAtRows } from '../../engine/nn/readGraphs.ts';
import type { LogitsRequest } from '../api.ts';
import { checkIds, groupsOf, padBatch } from '../prompts.ts';
import { floats, i64 } from '../sessions.ts';
import type { Handler } from './handler.ts';

/** Logit values returned by one run at most, so that a run's output stays small. */
const VALUES_PER_RUN = 2 ** 24;

/** Positions to read in prompt i, from 0. */
function positionsOf(request: LogitsRequest, i: number, length: number): number[] {
  if (request.positions === undefined) return [length - 1];
  if (request.positions === 'all') return Array.from({ length }, (_, t) => t);
  return (request.positions[i] ?? []).map((p) => {
    const t = p < 0 ? p + length : p;
    if (!Number.isInteger(t) || t < 0 || t >= length) {
      throw new UserInputError(
        'POSITION_OUTSIDE',
        `Position ${p} is outside prompt ${i}, which has ${length} tokens.`,
        'Read a position within the prompt.',
      );
    }
    return t;
  });
}

/** Logits of each prompt at its positions; prompts run together in batches, padded on the right. */
export const logits: Handler<'logits'> = async (request, { context, checkpoint }) => {
  const model = await context.models.get(request.folder);
  const { vocabSize } = model.config;
  request.prompts.forEach((ids, i) => checkIds(ids, model.config, `Prompt ${i}`));
  const positions = request.prompts.map((ids, i) => positionsOf(request, i, ids.length));
  const session = await model.session('logits', () => logitsAtRows(model.config, model.weights));
  const results: Float32Array[] = [];
  for (const [from, to] of groupsOf(
    request.prompts.map((ids, i) => Math.max(positions[i]?.length ?? 0, ids.length / 8) * vocabSize),
    VALUES_PER_RUN,
  )) {
    checkpoint();
    const batch = padBatch(request.prompts.slice(from, to));
    const read = positions.slice(from, to);
    const rows = read.flatMap((ts, i) => ts.map((t) => i * batch.length + t));
    const run = await session.run({
      ids: i64(batch.ids, [batch.count, batch.length]),
      rows: i64(rows, [rows.length]),
    });
    const values = floats(run, 'logits');
    let at = 0;
    for (const ts of read) results.push(values.slice(at, (at += ts.length * vocabSize)));
  }
  return { logits: results, vocabSize };
};
