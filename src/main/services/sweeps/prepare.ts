import { hookInfo, type SweepPlan, type SweepSpec } from '../../../shared/domain/index.ts';
import { UserInputError } from '../../../shared/errors/index.ts';
import {
  preparePairs,
  toTokens,
  type PreparedPair,
  type PreparedPairs,
} from '../../../shared/pairs/index.ts';
import { planEffects } from '../../jobs/effects.ts';
import { requestOf } from '../../jobs/sweep-request.ts';
import type { ComputeApi } from '../../runtime/api.ts';
import { SweepInput, type Study } from '../../store/index.ts';
import { encodeContext, type ModelShelf } from '../models/shelf.ts';
import { byPlace } from './positions.ts';

export interface PreparedSweep {
  readonly inputs: readonly SweepInput[];
  readonly skipped: PreparedPairs['skipped'];
  readonly folder: string;
}

/** Parts of a prepared pair that not every pair has. */
const EXTRAS = { key: true, spans: true, sequences: true, donor: true, readCorrupted: true } as const;

/**
 * A sweep's pairs as token ids under its model; those that lack a named span or a prompt to patch from are left out
 * with the reason. Throws UserInputError `GRID_NO_HEADS` for a head grid over a hook without heads, `SWEEP_NO_PAIRS`
 * where no pair of the set can be swept (with the first reason).
 */
export async function prepareSweep(study: Study, shelf: ModelShelf, spec: SweepSpec): Promise<PreparedSweep> {
  for (const { hook, axes } of spec.grids) {
    if (axes.includes('head') && !hookInfo(hook).heads) {
      throw new UserInputError('GRID_NO_HEADS', `${hook} has no heads.`, 'Sweep it by layer and position.');
    }
  }
  const model = await shelf.open(study, spec.modelId);
  const context = encodeContext(model, spec.bos);
  const set = study.pairs.set(spec.pairSetId);
  const unequal = spec.corruption === 'gn' || spec.grids.every(byPlace);
  const { pairs, lines, skipped } = sweepable(
    spec,
    preparePairs(
      study.pairs.list(set.id).map((pair) => pair.line),
      context,
      { unequal },
    ),
  );
  if (pairs.length === 0) {
    const reason = skipped[0]?.reason;
    throw new UserInputError(
      'SWEEP_NO_PAIRS',
      `No pair of “${set.name}” can be swept${reason === undefined ? ': the set is empty' : `: ${reason}`}`,
      'Add or correct pairs, then plan again.',
    );
  }
  const noise = spec.corruption === 'gn' ? (spec.noise?.spans ?? null) : null;
  const inputs = pairs.map((pair, i) => ({
    ...SweepInput.pick(EXTRAS).parse(pair),
    ...(noise === null ? {} : { key: keyTokens(pair, noise) }),
    id: pair.id,
    item: lines[i]?.item ?? pair.id,
    type: lines[i]?.type ?? null,
    clean: [...pair.clean],
    corrupted: [...pair.corrupted],
    answer: [...pair.answer],
    wrong: [...pair.wrong],
    read: pair.read,
    labels: toTokens(pair.clean, context).map((token) => token.text),
  }));
  return { inputs, skipped, folder: model.folder };
}

/** Why a pair cannot be swept under a specification though it can be run; null where it can. */
function unfit(pair: PreparedPair, { grids, source }: SweepSpec): string | null {
  const named = grids.flatMap(({ spans = [], at, from }) =>
    [...spans, at, from].filter((place) => typeof place === 'string'),
  );
  const missing = named.find((name) => pair.spans?.[name] === undefined);
  if (missing !== undefined) return `Pair “${pair.id}” has no span “${missing}”.`;
  if (source?.kind === 'prompt' && pair.donor === undefined)
    return `Pair “${pair.id}” names no third prompt to patch from.`;
  const uneven = named.find((name) => {
    const { clean, corrupted } = pair.spans?.[name] ?? { clean: [0, 0], corrupted: [0, 0] };
    return clean[1] - clean[0] !== corrupted[1] - corrupted[0];
  });
  if (uneven === undefined || (source !== undefined && source.kind !== 'prompt')) return null;
  return `Pair “${pair.id}”: the span “${uneven}” has not the same number of tokens in both prompts.`;
}

function sweepable(spec: SweepSpec, { pairs, lines, skipped }: PreparedPairs): PreparedPairs {
  const judged = pairs.map((pair, i) => ({ pair, line: lines[i], reason: unfit(pair, spec) }));
  const fit = judged.filter(({ reason }) => reason === null);
  return {
    pairs: fit.map(({ pair }) => pair),
    lines: fit.flatMap(({ line }) => line ?? []),
    skipped: [
      ...skipped,
      ...judged.flatMap(({ pair, reason }) => (reason === null ? [] : [{ id: pair.id, reason }])),
    ],
  };
}

/** Tokens of named spans of the clean prompt. @throws UserInputError NOISE_SPAN_UNKNOWN. */
function keyTokens({ id, spans = {} }: PreparedPairs['pairs'][number], names: readonly string[]): number[] {
  const tokens = names.flatMap((name) => {
    const place = spans[name]?.clean;
    if (place === undefined) {
      const known = Object.keys(spans).join(', ');
      throw new UserInputError(
        'NOISE_SPAN_UNKNOWN',
        `Pair “${id}” has no span “${name}” that noise could corrupt.`,
        known === '' ? 'Draw spans in the pair editor, or use the tokens that differ.' : `It has: ${known}.`,
      );
    }
    return Array.from({ length: place[1] - place[0] }, (_, i) => place[0] + i);
  });
  return [...new Set(tokens)].sort((a, b) => a - b);
}

/** What a prepared sweep will cost, and what its result will not show. */
export async function planSweep(
  study: Study,
  compute: ComputeApi,
  spec: SweepSpec,
  prepared: PreparedSweep,
): Promise<SweepPlan> {
  const { inputs, skipped } = prepared;
  const cost = await planEffects(compute, spec, requestOf(study, spec, inputs));
  return {
    sites: cost.sites,
    pairs: inputs.length,
    runs: cost.runs,
    structuralZeros: cost.structuralZeros,
    skipped: skipped.map(({ id, reason }) => ({ id, reason })),
    floorFlops: cost.floorFlops,
    seconds: cost.seconds,
    warnings: sweepWarnings(spec, prepared),
  };
}

/** Fewer clusters than this give no bootstrap interval. */
const FEW_CLUSTERS = 3;

/** Sources that take something away instead of bringing another run's value. */
const ABLATIONS: ReadonlySet<string> = new Set(['zero', 'mean', 'resample']);

/** Traps of the settings themselves (METHODS sections 2 and 4), one rule each. */
const RULES: readonly ((spec: SweepSpec, prepared: PreparedSweep) => string | null)[] = [
  ({ grids }) =>
    grids.some((g) => g.axes === 'layer' && hookInfo(g.hook).residual)
      ? 'The residual stream at all positions restores the source run at every layer by construction.'
      : null,
  ({ metrics }) =>
    metrics.includes('prob')
      ? 'Probability cannot show components that hurt where corruption drives it near zero; prefer the logit difference.'
      : null,
  ({ method }) =>
    method === 'exact'
      ? null
      : 'Effects are estimated by gradients: verify the sites that matter exactly before you rely on them.',
  ({ source, direction }) =>
    source !== undefined && ABLATIONS.has(source.kind) && direction === 'denoising'
      ? 'An ablation asks what a run loses: it belongs to noising, which patches into the clean run. Here it is made in the corrupted one.'
      : null,
  ({ source }) =>
    source?.kind === 'model'
      ? 'Both baselines are of the clean prompt: read by the other model and by this one. Recovery says how much of their difference a site carries.'
      : null,
  ({ grids, source }) =>
    grids.some(({ from, at }) => from !== undefined && from !== at) && source === undefined
      ? 'Values come from another place of the source run than they go to: position is part of what they carry.'
      : null,
  ({ corruption }) =>
    corruption === 'gn'
      ? 'Gaussian noise takes the model off its usual inputs: results can differ from those of token replacement, which Zhang & Nanda 2024 advise.'
      : null,
  ({ grids }) =>
    grids.some((g) => g.window !== undefined)
      ? 'A window patches several layers together: its effect is not the sum of theirs. Read it beside single layers.'
      : null,
  (_spec, { inputs }) => {
    const clusters = new Set(inputs.map((input) => input.item)).size;
    return clusters < FEW_CLUSTERS
      ? `${clusters} independent ${clusters === 1 ? 'pair gives' : 'pairs give'} no interval and no test.`
      : null;
  },
  (_spec, { skipped }) =>
    skipped.length === 0 ? null : `${skipped.length} pairs are left out: they cannot be patched.`,
  ({ corruption, source }, { inputs }) => {
    if (corruption === 'gn' || source !== undefined) return null;
    const several = inputs.filter(
      ({ clean, corrupted }) => clean.filter((id, i) => id !== corrupted[i]).length > 1,
    );
    return several.length === 0
      ? null
      : `In ${several.length} of ${inputs.length} pairs several positions differ: effects belong to them together.`;
  },
];

function sweepWarnings(spec: SweepSpec, prepared: PreparedSweep): string[] {
  return RULES.flatMap((rule) => rule(spec, prepared) ?? []);
}
