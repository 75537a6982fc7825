import { TRAINING_PRESETS, type ModelConfig, type TrainingEstimate } from '../../../shared/domain/index.ts';
import { bytesAsAsked, planAsAsked, trainingSeconds } from '../../engine/nn/trainingCost.ts';
import { parameterCount } from '../../models/index.ts';

/** GPT-2 small (Radford et al. 2019), which the CLAP study fine-tuned. */
const GPT2_SMALL: ModelConfig = {
  family: 'gpt2',
  nLayer: 12,
  nHead: 12,
  dModel: 768,
  dMlp: 3072,
  nCtx: 1024,
  vocabSize: 50_257,
  layerNormEps: 1e-5,
  activation: 'gelu_new',
  tiedEmbeddings: true,
  bosTokenId: 50_256,
  eosTokenId: 50_256,
};

/** Abstracts of the study (Bahador 2025), of which a fifth, rounded up, is held out. */
const ABSTRACTS = 9958;
const HELD_OUT = Math.ceil(ABSTRACTS / 5);

/** What Configuration I takes on a machine as the study ran it: all 30 epochs, padding computed and counted. */
export function fullStudy({
  memoryBytes,
  flops,
}: {
  readonly memoryBytes: number;
  readonly flops: number;
}): TrainingEstimate['fullStudy'] {
  const { epochs, batchSize, accumulation, sequenceLength, memoryMode } = TRAINING_PRESETS.I;
  const parameters = parameterCount(GPT2_SMALL);
  const sequences = ABSTRACTS - HELD_OUT;
  const plan = planAsAsked(memoryMode, GPT2_SMALL, parameters, batchSize, sequenceLength, memoryBytes);
  const tokens = sequences * sequenceLength * epochs;
  const steps = Math.ceil(Math.ceil(sequences / batchSize) / accumulation) * epochs;
  const seconds = trainingSeconds(
    {
      config: GPT2_SMALL,
      parameters,
      mode: plan?.mode ?? 'layers',
      tokens,
      readTokens: HELD_OUT * sequenceLength * epochs,
      length: sequenceLength,
      steps,
    },
    flops,
  );
  return {
    tokens,
    steps,
    seconds,
    memoryBytes: plan?.bytes ?? bytesAsAsked(memoryMode, GPT2_SMALL, parameters, batchSize, sequenceLength),
  };
}
