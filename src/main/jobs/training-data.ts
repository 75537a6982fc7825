import { setImmediate } from 'node:timers/promises';
import type { DatasetId, ModelConfig, TrainingConfig } from '../../shared/domain/index.ts';
import { UserInputError } from '../../shared/errors/index.ts';
import { buildBlock, type BlockResult, type TextTokenizer } from '../models/index.ts';
import type { Study } from '../store/index.ts';

export interface TrainingData {
  readonly train: BlockResult;
  readonly validation: BlockResult;
  /** First tokens of the first held-out text: what the model is asked to continue. */
  readonly samplePrompt: readonly number[];
  /** The end-of-text token; null where the tokenizer has none. */
  readonly eosTokenId: number | null;
}

/** Texts tokenised between two looks at the clock, so that the process stays responsive. */
const TEXTS_AT_ONCE = 200;
const SAMPLE_PROMPT_TOKENS = 16;

/**
 * Both parts of a dataset as sequences, in the order of the split. Throws UserInputError `DATASET_EMPTY`
 * where a part has no tokens.
 */
export async function buildTrainingData(
  study: Study,
  datasetId: DatasetId,
  tokenizer: TextTokenizer,
  model: ModelConfig,
  config: TrainingConfig,
  signal?: AbortSignal,
): Promise<TrainingData> {
  const encode = async (split: 'train' | 'validation'): Promise<number[][]> => {
    const texts = study.datasets.members(datasetId, split).map((member) => member.text);
    const ids: number[][] = [];
    for (const [index, text] of texts.entries()) {
      if (index % TEXTS_AT_ONCE === TEXTS_AT_ONCE - 1) await setImmediate();
      signal?.throwIfAborted();
      ids.push(tokenizer.encode(text));
    }
    return ids;
  };
  const options = {
    sequenceLength: Math.min(config.sequenceLength, model.nCtx),
    mode: config.longAbstracts,
    eosTokenId: tokenizer.eosTokenId,
    endTexts: config.endOfText,
  };
  const [trainIds, validationIds] = [await encode('train'), await encode('validation')];
  const [train, validation] = [buildBlock(trainIds, options), buildBlock(validationIds, options)];
  if (train.block.count === 0 || validation.block.count === 0) {
    throw new UserInputError(
      'DATASET_EMPTY',
      `The dataset ${study.datasets.get(datasetId).name} has no text to ${train.block.count === 0 ? 'train on' : 'validate on'}.`,
      'Include more records and freeze a new version.',
    );
  }
  return {
    train,
    validation,
    samplePrompt: (validationIds[0] ?? []).slice(0, SAMPLE_PROMPT_TOKENS),
    eosTokenId: tokenizer.eosTokenId,
  };
}
