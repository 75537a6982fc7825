interface Entry {
  readonly name: string;
  /** Two sentences: what it is, and why it matters here. Follows the name in a running sentence. */
  readonly text: string;
}

const entries = {
  activationPatching: {
    name: 'Activation patching',
    text: 'replaces one activation of a run with the same activation of another run and watches the answer. If the answer moves, that place carried what differs between the two prompts.',
  },
  accumulation: {
    name: 'Accumulation',
    text: 'adds the gradients of several batches before the weights change. Four steps of 8 texts act like one batch of 32, with the memory of 8.',
  },
  recompute: {
    name: 'Recomputation',
    text: 'keeps only what enters each layer and computes the layer again on the way back. It takes about a fifth more time and the memory of one layer instead of all.',
  },
  clean: {
    name: 'Clean prompt',
    text: 'is the prompt whose right answer the model should give. Its activations are what denoising puts back.',
  },
  corrupted: {
    name: 'Corrupted prompt',
    text: 'is the clean prompt with the key fact changed, so that another answer is right. Both must have the same number of tokens to be compared position by position.',
  },
  denoising: {
    name: 'Denoising',
    text: 'patches clean activations into the corrupted run and asks what brings the answer back. It finds what is sufficient.',
  },
  detected: {
    name: 'Detected',
    text: 'marks a site at least two standard deviations from the mean of its grid; trivial sites and structural zeros are left out. It is a screening rule, not a test.',
  },
  duplicates: {
    name: 'Duplicates',
    text: 'are records with the same identifier or the same text after normalisation. One stands for the group; the others are kept but not counted or trained on.',
  },
  earlyStopping: {
    name: 'Early stopping',
    text: 'ends training when the validation loss has not improved for a number of epochs. The weights of the best epoch are kept.',
  },
  freeze: {
    name: 'Freezing',
    text: 'writes down the chosen records, their order and their split as a version that never changes. Models and reports refer to the version by its hash.',
  },
  gap: {
    name: 'Gap',
    text: 'is the logit difference on the clean prompt minus the one on the corrupted prompt. Recovery divides by it, so a gap near 0 makes every ratio meaningless.',
  },
  gini: {
    name: 'Gini',
    text: 'measures how unequally the positive effect is spread over the sites of a grid. 0 means all sites carry the same, 1 means one site carries all of it.',
  },
  gradientNorm: {
    name: 'Gradient norm',
    text: 'is the length of the gradient over all weights before clipping. Sudden peaks mean unstable training; clipping limits the step they cause.',
  },
  held: {
    name: 'Validation split',
    text: 'is the share of abstracts kept out of training. The loss on it shows what the model learned beyond the texts it saw.',
  },
  localisation: {
    name: 'Share in the top sites',
    text: 'is the part of all positive effect that the strongest few sites of a grid hold. A high share means localized, a low one distributed; structural zeros and trivial sites are left out.',
  },
  logitDiff: {
    name: 'Logit difference',
    text: 'is the score of the right answer minus the score of the wrong one at the position where the answer is read. Above zero, the model prefers the right answer.',
  },
  lossPadding: {
    name: 'Loss on padding',
    text: 'counts the filler tokens after a short text as if they were text. A loss that counts them is not comparable with one that does not.',
  },
  noising: {
    name: 'Noising',
    text: 'patches corrupted activations into the clean run and asks what breaks the answer. It finds what is necessary.',
  },
  participation: {
    name: 'Participation ratio',
    text: 'is the squared sum of the positive effects over their squares, divided by the number of sites. 1 means the effect is spread evenly, near 0 that one site carries it.',
  },
  patience: {
    name: 'Patience',
    text: 'is the number of epochs without a better validation loss after which training stops. 0 means it never stops early.',
  },
  perplexity: {
    name: 'Perplexity',
    text: 'is e to the power of the loss per token: the number of equally likely next tokens the model hesitates between. Lower is better; only models with the same tokenizer can be compared.',
  },
  prisma: {
    name: 'Flow',
    text: 'counts records from reading to inclusion, as PRISMA flow diagrams do. It is written into the report.',
  },
  recovery: {
    name: 'Recovery',
    text: 'is the share of the gap that a patch closes: 0 as corrupted, 1 as clean. It is computed from means over all pairs.',
  },
  residualStream: {
    name: 'Residual stream',
    text: 'is the running sum that every attention and MLP block of a transformer reads from and adds to. Patching it replaces everything the model knows at that place.',
  },
  sequenceLength: {
    name: 'Tokens per abstract',
    text: 'is the length of the sequences the model is trained on. Longer abstracts are cut off or continued in another sequence, as the setting says.',
  },
  spearman: {
    name: 'Spearman',
    text: 'correlates the ranks of the sites in two sweeps: 1 means the same order, 0 none. Where most effects are near zero, ranks are mostly noise.',
  },
  structuralZero: {
    name: 'Structural zero',
    text: 'is a site whose effect is zero by construction, because nothing differs there yet. It costs no run and carries no information.',
  },
  tokens: {
    name: 'Tokens',
    text: 'are the pieces of text a model reads and writes. A word may be one token or several.',
  },
  trivial: {
    name: 'Trivial site',
    text: 'is a site where the patch restores the answer by construction, such as the residual stream at the read position of the last layer. It is left out of ranking.',
  },
  warmUp: {
    name: 'Warm-up',
    text: 'raises the learning rate from 0 over the first steps. A warm-up longer than the run means that the full rate is never reached.',
  },
  weightDecay: {
    name: 'Weight decay',
    text: 'pulls weights towards zero a little at each step, apart from the gradient. Biases and normalisation weights are left out.',
  },
} satisfies Record<string, Entry>;

export type GlossaryKey = keyof typeof entries;
export const glossary: Readonly<Record<GlossaryKey, Entry>> = entries;
export const GLOSSARY_KEYS = (Object.keys(entries) as GlossaryKey[]).sort((a, b) =>
  entries[a].name.localeCompare(entries[b].name),
);
