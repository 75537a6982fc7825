import { hookInfo, type SweepPlan, type SweepSpec } from '../../../shared/domain/index.ts';
import { UserInputError } from '../../../shared/errors/index.ts';
import { preparePairs, toTokens, type PreparedPairs } from '../../../shared/pairs/index.ts';
import { planEffects } from '../../jobs/effects.ts';
import { noiseOf } from '../../jobs/sweep.ts';
import type { ComputeApi } from '../../runtime/api.ts';
import { SweepInput, type Study } from '../../store/index.ts';
import { encodeContext, type ModelShelf } from '../models/shelf.ts';

export interface PreparedSweep {
  readonly inputs: readonly SweepInput[];
  readonly skipped: PreparedPairs['skipped'];
  readonly folder: string;
}

/** Parts of a prepared pair that not every pair has. */
const EXTRAS = { key: true, spans: true, sequences: true, donor: true } as const;

/**
 * A sweep's pairs as token ids under its model. Throws UserInputError `GRID_NO_HEADS` for a head grid over
 * a hook without heads, `SWEEP_NO_PAIRS` where no pair of the set can be swept (with the first reason).
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
  const { pairs, lines, skipped } = preparePairs(
    study.pairs.list(set.id).map((pair) => pair.line),
    context,
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
  compute: ComputeApi,
  spec: SweepSpec,
  prepared: PreparedSweep,
): Promise<SweepPlan> {
  const { folder, inputs, skipped } = prepared;
  const { grids, direction, metrics } = spec;
  const request = { folder, pairs: inputs, grids, direction, metrics, ...noiseOf(spec) };
  const cost = await planEffects(compute, spec, request);
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
  ({ corruption }, { inputs }) => {
    if (corruption === 'gn') return null;
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
