import { bytes, count, duration } from '../format.ts';

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
    I: 'Config I of the CLAP study, as its public code runs it.',
    II: 'Config II of the CLAP study, as its public code runs it.',
    quick: 'For a small model on a desktop without a GPU: minutes, not hours. Not from the paper.',
    own: 'Your own settings; the run records every value.',
  },
  groups: { schedule: 'How long and how fast', data: 'What it reads', steps: 'How each step is taken' },
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
      text: 'The paper’s text continues them in a new sequence; its code cuts them off.',
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
    seed: { name: 'Seed', text: 'Order of the texts and dropout. The same seed gives the same run.' },
  },
  choices: {
    'linear-decay': 'Falls in a line to 0 (code)',
    'constant-after-warmup': 'Constant after warm-up (text)',
    truncate: 'Cut off (code)',
    chunk: 'Continued in a new sequence (text)',
    counted: 'Counted',
    masked: 'Masked',
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
    steps: 'Steps, at most',
    time: 'Time, at most',
    memory: 'Memory',
  },
  estimateTime: (seconds: number) => duration(seconds),
  estimateMemory: (n: number) => bytes(n),
  fits: 'This fits on the device',
  fitsNot: 'This does not fit in memory',
  fitsNotText: 'Lower the batch or the tokens per abstract, or raise the memory limit in Settings.',
  start: 'Start training',
};
