import type { DatasetId, ModelConfig, ModelEvaluation, PairLine } from '../../shared/domain/index.ts';
import { EngramError } from '../../shared/errors/index.ts';
import {
  bosTokenFor,
  encodePair,
  logitDifference,
  reduceAnswers,
  resolveRead,
  scoringMode,
  type EncodeContext,
} from '../../shared/pairs/index.ts';
import type { TextTokenizer, TokenBlock } from '../models/index.ts';
import type { ComputeApi } from '../runtime/api.ts';
import type { Study } from '../store/index.ts';

export interface EvaluationRequest {
  readonly study: Study;
  readonly compute: ComputeApi;
  readonly folder: string;
  readonly config: ModelConfig;
  readonly tokenizer: TextTokenizer;
  readonly datasetId: DatasetId;
  readonly validation: TokenBlock;
  readonly batchSize: number;
  readonly samplePrompt: readonly number[];
  readonly sampleTokens: number;
  readonly signal: AbortSignal;
}

/** Prompts per call of the model when pairs are scored. */
const PROMPTS_AT_ONCE = 32;

/** Held-out loss and perplexity, accuracy on every pair set, and a sample of what the model writes. */
export async function evaluateModel(request: EvaluationRequest): Promise<ModelEvaluation> {
  const { compute, folder, validation, batchSize, signal, study, samplePrompt, tokenizer } = request;
  const loss =
    validation.count === 0
      ? null
      : (await compute.evaluate({ folder, data: validation, batchSize }, { signal })).loss;
  const context = {
    tokenizer,
    bos: bosTokenFor('auto', request.config.bosTokenId, tokenizer.addsBos),
    vocabSize: request.config.vocabSize,
    nCtx: request.config.nCtx,
  };
  const pairAccuracy: ModelEvaluation['pairAccuracy'] = [];
  for (const set of study.pairs.sets().filter((s) => !s.frozen)) {
    signal.throwIfAborted();
    const lines = study.pairs.list(set.id).map((pair) => pair.line);
    const { right, total } = await accuracyOn(lines, compute, folder, context);
    if (total > 0) pairAccuracy.push({ pairSetId: set.id, name: set.name, right, total });
  }
  const { ids } = await compute.generate({ folder, ids: [...samplePrompt], tokens: request.sampleTokens });
  return {
    datasetId: request.datasetId,
    validationLoss: loss,
    perplexity: loss === null ? null : Math.exp(loss),
    pairAccuracy,
    sample: { prompt: tokenizer.decode(samplePrompt), text: tokenizer.decodeInside(ids) },
  };
}

interface Question {
  readonly ids: readonly number[];
  readonly read: number;
  readonly right: readonly number[];
  readonly wrong: readonly number[];
}

/** How many pairs a model can read, and on how many of them the right answer beats the wrong one on clean. */
async function accuracyOn(
  lines: readonly PairLine[],
  compute: ComputeApi,
  folder: string,
  context: EncodeContext,
): Promise<{ right: number; total: number }> {
  const questions = lines.flatMap((line) => toQuestion(line, context));
  let right = 0;
  for (let at = 0; at < questions.length; at += PROMPTS_AT_ONCE) {
    const batch = questions.slice(at, at + PROMPTS_AT_ONCE);
    const { logits } = await compute.logits({
      folder,
      prompts: batch.map((q) => q.ids),
      positions: batch.map((q) => [q.read]),
    });
    right += batch.filter((q, i) => {
      const row = logits[i];
      return row !== undefined && logitDifference(row, q.right, q.wrong) > 0;
    }).length;
  }
  return { right, total: questions.length };
}

/** Nothing for a pair that this model cannot read; the pairs page says why. */
function toQuestion(line: PairLine, context: EncodeContext): Question[] {
  try {
    const ids = encodePair(line, context);
    const read = resolveRead(line, ids.clean.length);
    if (!read.ok || ids.clean.length > context.nCtx) return [];
    const mode = scoringMode(line);
    return [
      {
        ids: ids.clean,
        read: read.position,
        right: reduceAnswers(ids.answer, mode),
        wrong: reduceAnswers(ids.wrong, mode),
      },
    ];
  } catch (error) {
    if (error instanceof EngramError && error.kind === 'user') return [];
    throw error;
  }
}
