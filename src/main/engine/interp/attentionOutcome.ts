import type {
  AttentionLook,
  HeadRef,
  HookGrid,
  ModelConfig,
  SiteSpec,
} from '../../../shared/domain/index.ts';
import { hookAt } from '../../../shared/domain/index.ts';
import { invariant, UserInputError } from '../../../shared/errors/index.ts';
import { casesOf, type PatchCase } from './cases.ts';
import { editOfSite, tokensOf, type EditContext } from './edits.ts';
import { needsOf } from './metrics.ts';
import { noiseSource, type Noise } from './noise.ts';
import { checkTask } from './patch.ts';
import { sourceSide } from './plan.ts';
import { distributionOf, readMetrics } from './readout.ts';
import type { PatchSessions } from './sessions.ts';
import type { PatchPair, PatchTask } from './types.ts';
import { meanActivations, nameOf, type Activations, type WholeModel } from './wholeModel.ts';

/** A joint patch, and the attention that is read as its outcome. */
export interface AttentionOutcomeTask extends Pick<
  PatchTask,
  'pairs' | 'direction' | 'metrics' | 'source' | 'noise'
> {
  /** Patched together in one run. */
  readonly sites: readonly SiteSpec[];
  /** Heads whose attention is read. */
  readonly watch: readonly HeadRef[];
  readonly looks: readonly AttentionLook[];
}

/** Of one pair and noise draw. */
export interface AttentionOutcome {
  readonly pair: number;
  readonly draw: number;
  /** Attention probabilities, [watched heads, looks] row-major, each in the run's own prompt. */
  readonly clean: Float64Array;
  readonly corrupted: Float64Array;
  readonly patched: Float64Array;
  /** Per metric; NaN for answers of several tokens, which no single position scores. */
  readonly metrics: {
    readonly clean: readonly number[];
    readonly corrupted: readonly number[];
    readonly patched: readonly number[];
  };
}

export interface AttentionOutcomeOptions {
  /** Called between runs of the model; throws to stop. */
  readonly check?: () => void;
  /** The other model of a `model` source. */
  readonly other?: { readonly sessions: PatchSessions; readonly model: WholeModel } | undefined;
}

const PATTERN = 'blocks.{layer}.attn.hook_pattern';

/**
 * Attention as the outcome of a joint patch (Zhang & Nanda 2024, section 3.2): for every pair the probability with
 * which each watched head looks from one place to another in the clean, the corrupted and the patched run, and the
 * metrics of the three. All sites are patched in one run; heads behind them are free to change.
 * @throws UserInputError HEAD_OUTSIDE, LOOK_AHEAD, and what patching refuses.
 */
export async function* attentionOutcome(
  sessions: PatchSessions,
  model: WholeModel,
  task: AttentionOutcomeTask,
  options: AttentionOutcomeOptions = {},
): AsyncGenerator<AttentionOutcome, void, undefined> {
  checkOutcome(task, sessions.config);
  const noise =
    task.noise === undefined
      ? (): Noise => ({ at: new Map() })
      : (await noiseSource(sessions, task.pairs, task.noise)).draw;
  const asTask = patchTask(task);
  for (const [index, pair] of task.pairs.entries()) {
    // The alternatives of a long answer share the prompt: attention inside it is the same before each.
    const cases = casesOf(asTask, index, noise).filter((one) => one.continuation === 0);
    for (const one of cases) {
      options.check?.();
      yield await outcomeOf({ sessions, model, task, asTask, pair, other: options.other }, one);
    }
  }
}

/** @throws UserInputError for heads, sites and sources that do not exist or go together. */
export function checkOutcome(task: AttentionOutcomeTask, config: ModelConfig): void {
  checkTask(patchTask(task), config);
  const outside = task.watch.find(({ layer, head }) => layer >= config.nLayer || head >= config.nHead);
  if (outside === undefined) return;
  throw new UserInputError(
    'HEAD_OUTSIDE',
    `There is no head ${outside.layer}.${outside.head}: the model has ${config.nLayer} layers of ${config.nHead} heads.`,
    'Layers and heads count from 0.',
  );
}

const wholeGrid = (sites: readonly SiteSpec[]): HookGrid => ({
  hook: sites[0]?.hook ?? 'hook_embed',
  axes: 'whole',
  sites: [...sites],
});

function patchTask({ sites, watch: _watch, looks: _looks, ...task }: AttentionOutcomeTask): PatchTask {
  return { ...task, grids: [wholeGrid(sites)] };
}

interface Context {
  readonly sessions: PatchSessions;
  readonly model: WholeModel;
  readonly task: AttentionOutcomeTask;
  readonly asTask: PatchTask;
  readonly pair: PatchPair;
  readonly other: AttentionOutcomeOptions['other'];
}

/** Attention and final row of one run. */
interface Seen {
  readonly attention: Float64Array;
  readonly h: Float32Array;
}

async function outcomeOf(c: Context, one: PatchCase): Promise<AttentionOutcome> {
  const { task, model, other } = c;
  const edits = task.sites.map((site) => editOfSite(site, editContext(c, one)));
  const names = [...new Set(edits.map(nameOf))];
  const patterns = [...new Set(task.watch.map(({ layer }) => hookAt(PATTERN, layer)))];
  const target = await model.record(one.target, patterns);
  const far =
    other === undefined
      ? await model.record(one.other, [...new Set([...patterns, ...names])])
      : await other.model.record(one.target, [...new Set([...patterns, ...names])]);
  const values = other === undefined ? await sourceValues(c, one, names, far.activations) : far.activations;
  const patched = await model.patched(one.target, edits, values, patterns);
  const otherSide = other === undefined ? 'source' : 'target';
  const seen = {
    target: { h: target.h, attention: looked(c, one, 'target', target.activations) },
    other: { h: far.h, attention: looked(c, one, otherSide, far.activations) },
    patched: { h: patched.h, attention: looked(c, one, 'target', patched.activations) },
  };
  const scores = await scored(c, one, seen);
  const [clean, corrupted] =
    task.direction === 'denoising' ? (['other', 'target'] as const) : (['target', 'other'] as const);
  return {
    pair: one.pair,
    draw: one.draw,
    clean: seen[clean].attention,
    corrupted: seen[corrupted].attention,
    patched: seen.patched.attention,
    metrics: { clean: scores[clean], corrupted: scores[corrupted], patched: scores.patched },
  };
}

const editContext = ({ pair, task, model }: Context, one: PatchCase): EditContext => ({
  pair,
  one,
  direction: task.direction,
  config: model.config,
});

/** Values pasted from a run of this model, a mean, or (null) zero. */
async function sourceValues(
  { model, task, asTask }: Context,
  one: PatchCase,
  names: readonly string[],
  other: Activations,
): Promise<Activations | null> {
  if (task.source?.kind === 'mean') return meanActivations(model, task.source, one, names);
  const side = sourceSide(asTask);
  if (side === 'donor' && one.donor !== null) return (await model.record(one.donor, names)).activations;
  return side === 'other' ? other : null;
}

/** Per watched head and look the attention of a run, in the tokens of its own prompt. */
function looked(
  c: Context,
  one: PatchCase,
  side: 'target' | 'source',
  activations: Activations,
): Float64Array {
  const { task } = c;
  const T = (side === 'target' ? one.target : one.other).ids.length;
  const context = editContext(c, one);
  const places = task.looks.map((look) => {
    const from = tokensOf(look.from, side, context);
    const to = tokensOf(look.to, side, context);
    if (Math.min(...to) <= Math.max(...from)) return { from, to };
    throw new UserInputError(
      'LOOK_AHEAD',
      `Pair ${c.pair.id}: “${look.to}” stands after “${look.from}”, which cannot see it.`,
      'A head looks back: exchange the two places.',
    );
  });
  return Float64Array.from(
    task.watch.flatMap(({ layer, head }) => {
      const square = activations.get(hookAt(PATTERN, layer));
      invariant(square !== undefined, `the pattern of layer ${layer}`);
      return places.map(({ from, to }) => {
        let sum = 0;
        for (const query of from) {
          for (const key of to) sum += square[(head * T + query) * T + key] ?? 0;
        }
        return sum / from.length;
      });
    }),
  );
}

type Scores = Readonly<Record<'target' | 'other' | 'patched', number[]>>;

/** Metrics of the three runs. */
async function scored(
  { sessions, task, pair, other }: Context,
  one: PatchCase,
  seen: Readonly<Record<keyof Scores, Seen>>,
): Promise<Scores> {
  if (one.scored !== null) {
    const nothing = task.metrics.map(() => Number.NaN);
    return { target: nothing, other: nothing, patched: nothing };
  }
  const clean = task.direction === 'denoising' ? seen.other : seen.target;
  const cleanSessions = task.direction === 'denoising' ? (other?.sessions ?? sessions) : sessions;
  const distribution = needsOf(task.metrics).cross ? await distributionOf(cleanSessions, clean.h) : null;
  const d = sessions.config.dModel;
  const read = async (own: PatchSessions, runs: readonly Seen[]): Promise<number[][]> => {
    const rows = new Float32Array(runs.length * d);
    runs.forEach(({ h }, i) => rows.set(h, i * d));
    const values = await readMetrics(own, pair, rows, task.metrics, distribution);
    return runs.map((_, i) => values.map((v) => v[i] ?? Number.NaN));
  };
  const [target = [], patched = [], same = []] = await read(sessions, [
    seen.target,
    seen.patched,
    seen.other,
  ]);
  const [far = same] = other === undefined ? [] : await read(other.sessions, [seen.other]);
  return { target, patched, other: far };
}
