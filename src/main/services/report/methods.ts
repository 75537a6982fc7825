import {
  hookInfo,
  kvHeads,
  METRICS,
  type Dataset,
  type GridAxes,
  type Model,
  type Sweep,
  type SweepSpec,
  type TrainingRun,
} from '../../../shared/domain/index.ts';
import { formatCount, formatNumber } from '../../../shared/figures/index.ts';
import { precisionWords } from '../../jobs/training-record.ts';
import { familyLabel } from '../../models/index.ts';
import type { Study } from '../../store/index.ts';
import { corruptionWords, smallestGapWords } from '../compare/settings.ts';
import { gridWords, sourceWords } from '../sweeps/words.ts';

const AXES_WORDS: Readonly<Record<GridAxes, string>> = {
  layer: 'every layer, all positions together',
  layer_position: 'every layer × position',
  layer_head: 'every layer × head, all positions together',
  layer_head_position: 'every layer × head × position',
  layer_span: 'every layer × named span',
  layer_head_span: 'every layer × head × named span',
  layer_neuron: 'every layer × neuron, all positions together',
};

const DIRECTION_WORDS = {
  denoising:
    'Denoising (clean → corrupted): the model read the corrupted prompt and one activation was replaced by the one from the clean prompt, which tests whether a site is sufficient. Recovery is (m_patched − m_corrupted) / (m_clean − m_corrupted): 0 = as corrupted, 1 = as clean.',
  noising:
    'Noising (corrupted → clean): the model read the clean prompt and one activation was replaced by the one from the corrupted prompt, which tests whether a site is necessary. The effect is (m_patched − m_clean) / (m_clean − m_corrupted): 0 = intact, −1 = broken.',
} as const;

/** The method of a sweep, as a report says it. */
const METHOD_WORDS: Readonly<Record<SweepSpec['method'], string>> = {
  exact: 'exact activation patching',
  atp: 'attribution patching (a first-order estimate of activation patching; Kramár et al. 2024, eq. 2)',
  'atp-star': 'AtP* (attribution patching with QK-fix and GradDrop; Kramár et al. 2024)',
  ig: 'integrated gradients along the input embeddings (EAP-IG; Hanna et al. 2024)',
};

const CORRUPTION_WORDS: Readonly<Record<SweepSpec['corruption'], (spec: SweepSpec) => string>> = {
  str: () => 'symmetric token replacement between prompts of equal token length',
  gn: (spec) =>
    `${corruptionWords(spec)}; one SD is that of the token embeddings of all key tokens, over all dimensions; the same draws for every site, averaged within a pair before anything else`,
};

/** Abstracts: what was read, set aside and included, and the frozen version's split. */
export function dataMethods(study: Study, dataset: Dataset | null): string {
  const flow = dataset?.flow ?? study.curation.flow();
  const sources = study.sources.list().length;
  const read = `${formatCount(flow.read)} records were read from ${sources} ${sources === 1 ? 'source' : 'sources'}; ${formatCount(flow.rejected)} were rejected, ${formatCount(flow.duplicates)} were copies of others, and of ${formatCount(flow.screened)} screened ${formatCount(flow.excluded)} were excluded.`;
  if (dataset === null) return read;
  const { options, nTrain, nValidation, terms } = dataset;
  const counts = terms.map(
    (t) => `“${t.term}” ${formatCount(t.mentions)} mentions in ${formatCount(t.articles)} articles`,
  );
  return [
    read,
    `Dataset ${dataset.name}, version ${dataset.version}, holds ${formatCount(nTrain + nValidation)} texts (${options.text.replaceAll('-', ' ')}), split into ${formatCount(nTrain)} for training and ${formatCount(nValidation)} held out (${formatNumber(100 * options.testFraction, 0)} %, seed ${options.seed}, the permutation of scikit-learn's train_test_split).`,
    counts.length === 0 ? '' : `Terms: ${counts.join('; ')}.`,
  ]
    .filter((sentence) => sentence !== '')
    .join(' ');
}

export function modelMethods(model: Model): string {
  const { nLayer, nHead, dModel, nCtx, vocabSize } = model.config;
  const shared = kvHeads(model.config);
  const groups = shared === nHead ? '' : ` over ${shared} key/value heads`;
  const origins = {
    imported: 'imported',
    created: 'created with fresh weights',
    'fine-tuned': 'fine-tuned',
  } as const;
  return `${model.name} is a decoder of the ${familyLabel(model.config)} family (${origins[model.origin]}): ${nLayer} layers, ${nHead} heads${groups}, width ${dModel}, context ${formatCount(nCtx)}, vocabulary ${formatCount(vocabSize)}, ${formatCount(model.parameters)} parameters (weights SHA-256 ${model.weightsHash.slice(0, 12)}…).`;
}

const DECAY_WORDS: Readonly<Record<TrainingRun['config']['decay'], string>> = {
  matrices: 'biases and layer norms undecayed',
  all: 'every parameter decayed',
};
const LONG_WORDS: Readonly<Record<TrainingRun['config']['longAbstracts'], string>> = {
  truncate: 'cut off',
  chunk: 'continued in sequences of their own',
  pack: 'joined and cut',
};

const MEAN_WORDS: Readonly<Record<TrainingRun['config']['accumulationMean'], string>> = {
  tokens: 'predicted tokens',
  labels: 'all labels',
  batches: 'batch means',
};

/** What counts in the loss, and how means are formed. */
function lossWords(c: TrainingRun['config']): string {
  const padding = !c.paddingInLoss
    ? 'padding not counted in the loss'
    : `padding counted in the loss${c.paddingAttended ? '' : ' and hidden from attention'}`;
  const eos = c.eosInLoss ? '' : ', end-of-text tokens masked';
  const steps = MEAN_WORDS[c.accumulationMean];
  const evaluation = c.evaluationMean === 'tokens' ? 'tokens' : 'batch means';
  return `${padding}${eos}; loss of a step averaged over ${steps}, validation loss over ${evaluation}`;
}

export function trainingMethods(study: Study, run: TrainingRun): string {
  const c = run.config;
  const base = study.models.get(run.baseModelId).name;
  const dataset = study.datasets.get(run.datasetId);
  const schedule = c.schedule === 'linear-decay' ? 'linear decay to zero' : 'a constant rate afterwards';
  const stop =
    c.patience === 0 ? 'no early stopping' : `early stopping after ${c.patience} epochs without improvement`;
  const ended =
    run.bestEpoch === null
      ? 'The run has not finished an epoch.'
      : `The best checkpoint, epoch ${run.bestEpoch} of at most ${c.epochs} (validation loss ${formatNumber(run.bestValidationLoss, 3)}), was kept${run.stoppedEarly ? '; training stopped early' : ''}.`;
  return [
    `${base} was fine-tuned on ${dataset.name}, version ${dataset.version} (${run.name}, configuration ${c.preset}), with AdamW (β₁ ${c.beta1}, β₂ ${c.beta2}, ε ${c.epsilon}, decoupled weight decay ${c.weightDecay}, ${DECAY_WORDS[c.decay]}).`,
    `Learning rate ${c.learningRate} with ${c.warmupSteps} warm-up steps (first rate ${c.firstRate === 'zero' ? 0 : 'one step’s share'}), then ${schedule}; batches of ${c.batchSize}, gradients accumulated over ${c.accumulation}; sequences of ${c.sequenceLength} tokens (longer abstracts ${LONG_WORDS[c.longAbstracts]}; end-of-text token ${c.endOfText ? 'after each' : 'not added'}); gradient norm ${c.clip === 0 ? 'not clipped' : `clipped at ${c.clip}`}; dropout ${c.dropout}; ${lossWords(c)}; ${precisionWords(study, run)}; seed ${c.seed}; ${stop}.`,
    ended,
  ].join(' ');
}

/** The methods of one sweep, from its record: model, pairs, hooks, direction, corruption, metric, statistics. */
export function sweepMethods(study: Study, sweep: Sweep): string {
  const { spec, provenance } = sweep;
  const inputs = study.sweeps.inputs(sweep.id);
  const clusters = new Set(inputs.map((input) => input.item)).size;
  const metrics = spec.metrics.map((name) => METRICS.find((m) => m.name === name)?.label ?? name);
  const hooks = spec.grids.map(
    (g) => `${hookInfo(g.hook).label} (${g.hook}) at ${AXES_WORDS[g.axes]}${gridWords(g)}`,
  );
  const skipped = sweep.plan?.skipped.length ?? 0;
  return [
    `${sweep.label} (${sweep.name}): ${METHOD_WORDS[spec.method]} in ${study.models.get(spec.modelId).name} over ${inputs.length} prompt ${inputs.length === 1 ? 'pair' : 'pairs'} in ${clusters} ${clusters === 1 ? 'cluster' : 'clusters'}${skipped === 0 ? '' : ` (${skipped} left out because they cannot be patched)`}.`,
    `Patched: ${hooks.join('; ')}.`,
    DIRECTION_WORDS[spec.direction],
    ...(spec.source === undefined ? [] : [`Pasted values: ${sourceWords(study, spec)}.`]),
    `Corruption: ${CORRUPTION_WORDS[spec.corruption](spec)}. Metric: ${metrics.join(', ')} between the answer sets at the read position of each pair.`,
    `Over pairs the headline is the ratio of means; a ratio is given only where |m_clean − m_corrupted| is at least ${smallestGapWords(spec)}, of the means for the headline and of the pair for its own; below it the ratio is undefined and the patched metric stands alone. Sites whose source equals the target bit for bit (structural zeros) and sites that restore the source run by construction (trivial) are marked and left out of detection, indices and tests.`,
    `A component counts as detected when its effect lies at least 2 standard deviations (population) from the mean of its grid (Zhang & Nanda 2024); this screens and is no test. Intervals: 95 % BCa bootstrap over clusters (seed ${spec.seed}). Tests: two-sided sign-flip permutation over clusters, Holm-adjusted over the sites of a grid, refused where the number of clusters cannot reach the corrected level.`,
    provenance === null
      ? 'The sweep is not complete.'
      : `Computed by ${provenance.engine} on ${provenance.provider} with ${provenance.threads} threads, ${provenance.createdAt.slice(0, 10)}; hash of the inputs ${provenance.inputHash.slice(0, 12)}….`,
  ].join(' ');
}
