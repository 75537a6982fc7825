import { bytes, count, duration, plural } from '../format.ts';

export const training = {
  title: (base: string) => `Fine-tune ${base}`,
  needDataset: 'Freeze a dataset first',
  needDatasetText: 'A model is trained on a frozen dataset version, so that it can be trained again exactly.',
  goCurate: 'Go to Curate',
  dataset: 'Dataset',
  datasetOption: (name: string, version: number, train: number) =>
    `${name}, version ${version} (${count(train)} train)`,
  name: 'Name of the new model',
  preset: 'Settings',
  presetNotes: {
    quick:
      'For a desktop without a GPU: a small model made here and sequences of 128 tokens, meant to end within 30 minutes. Not one of the study’s configurations, and its losses are not comparable with theirs.',
    I: 'Config I of the CLAP study, as its public code runs it.',
    'I-text':
      'Config I as the paper’s text says: long abstracts continued, constant rate after warm-up. Where the text is silent, as the code does.',
    II: 'Config II of the CLAP study, as its public code runs it.',
    'II-text':
      'Config II as the paper’s text says: long abstracts continued, constant rate after warm-up. Where the text is silent, as the code does.',
    own: 'Your own settings; the run records every value.',
  },
  groups: {
    schedule: 'How long and how fast',
    data: 'What it reads',
    steps: 'How each step is taken',
    details: 'Details in which implementations differ',
  },
  settings: {
    epochs: { name: 'Epochs', text: 'Passes over the training abstracts, at most.' },
    patience: {
      name: 'Patience',
      text: 'Epochs without a better validation loss before it stops. 0 never stops early.',
    },
    learningRate: { name: 'Learning rate', text: 'Size of the steps at their largest, after warm-up.' },
    warmupSteps: {
      name: 'Warm-up steps',
      text: 'Steps over which the rate rises from 0. Must be shorter than the run.',
    },
    schedule: {
      name: 'Schedule',
      text: 'The paper’s text holds the rate after warm-up; its code lets it fall to 0 in a line.',
    },
    batchSize: { name: 'Batch', text: 'Texts at a time. Memory grows with it.' },
    accumulation: { name: 'Accumulation', text: 'Batches added up before one step.' },
    sequenceLength: {
      name: 'Tokens per abstract',
      text: 'Length of a training sequence. Memory and time grow with it.',
    },
    longAbstracts: {
      name: 'Long abstracts',
      text: 'The paper’s text continues them in sequences of their own; its code cuts them off.',
    },
    paddingInLoss: {
      name: 'Loss on padding',
      text: 'Config I’s code counts filler tokens; Config II masks them. The two losses are not comparable.',
    },
    weightDecay: {
      name: 'Weight decay',
      text: 'Pull of the weights towards 0. Biases and normalisation are left out.',
    },
    clip: { name: 'Gradient clip', text: 'Largest length of the gradient; 0 never clips.' },
    dropout: {
      name: 'Dropout',
      text: 'Share of activations dropped while training. 0 for a small model that should memorise.',
    },
    endOfText: {
      name: 'End of text',
      text: 'Whether every abstract is followed by the end-of-text token. The study’s code adds none.',
    },
    eosInLoss: {
      name: 'Loss on end of text',
      text: 'Config II’s collator masks every end-of-text token, because it is the filler too.',
    },
    paddingAttended: {
      name: 'Attention to padding',
      text: 'Matters only where padding counts in the loss: the code’s attention mask hides filler from the filler after it.',
    },
    decay: {
      name: 'Decayed weights',
      text: 'Transformers leaves biases and normalisation out of weight decay.',
    },
    firstRate: {
      name: 'First step of warm-up',
      text: 'Transformers begins at a rate of 0, so that the first step changes nothing.',
    },
    accumulationMean: {
      name: 'Loss of a step',
      text: 'Transformers weighs all tokens of the accumulated batches alike, and for GPT-2 divides by one token too many per sequence.',
    },
    evaluationMean: {
      name: 'Validation loss',
      text: 'Transformers takes the mean of its batches’ means; over tokens it does not depend on the batch size.',
    },
    seed: { name: 'Seed', text: 'Order of the texts and dropout. The same seed gives the same run.' },
  },
  choices: {
    'linear-decay': 'Falls in a line to 0 (code)',
    'constant-after-warmup': 'Constant after warm-up (text)',
    truncate: 'Cut off (code)',
    chunk: 'Continued in sequences of their own (text)',
    pack: 'All texts joined, then cut',
    counted: 'Counted',
    masked: 'Masked',
    added: 'Added to every text',
    notAdded: 'Not added (code)',
    seen: 'Seen',
    hidden: 'Hidden (code)',
    matrices: 'Matrices and embeddings (code)',
    all: 'Every parameter',
    zero: 'At 0 (code)',
    'one-step': 'At one step’s share',
    stepTokens: 'Mean over its predicted tokens',
    stepLabels: 'Sum over all labels, first ones too (code)',
    stepBatches: 'Mean of its batches’ means',
    validationTokens: 'Mean over tokens',
    validationBatches: 'Mean of batch means (code)',
  },
  badInteger: (min: number) => `A whole number, ${count(min)} or larger.`,
  badNumber: (min: number) => `A number, ${min} or larger.`,
  badShare: 'From 0 to below 1.',
  badPositive: 'A number larger than 0.',
  estimate: 'Estimate',
  estimateWait: 'The estimate appears when every setting is valid.',
  estimateFacts: {
    sequences: 'Training sequences',
    validation: 'Validation sequences',
    tokens: 'Tokens an epoch',
    allTokens: 'Tokens in all, at most',
    steps: 'Steps, at most',
    time: 'Time, at most',
    memory: 'Memory',
    mode: 'Computed',
  },
  modes: { whole: 'in one graph', layers: 'layer by layer' },
  modeRows: (mode: string, rows: number) => `${mode}, ${count(rows)} at a time`,
  estimateTime: (seconds: number) => duration(seconds),
  estimateMemory: (n: number) => bytes(n),
  fits: 'This fits on the device',
  fitsNot: 'This does not fit in memory',
  fitsNotText: 'Choose shorter sequences or a smaller model, or raise the memory limit in Settings.',
  offer: (length: number) => `Use ${count(length)} tokens per abstract`,
  epochsThatFit: (minutes: number, epochs: number) =>
    `${plural(epochs, 'epoch')} of this fit in ${count(minutes)} minutes`,
  start: 'Start training',
};
