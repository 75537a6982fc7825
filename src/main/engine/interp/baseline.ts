import { hookInfo, type HookName } from '../../../shared/domain/index.ts';
import { headWidth, kvHeads } from '../../../shared/domain/index.ts';
import { invariant } from '../../../shared/errors/index.ts';
import { firstDifference, type PatchCase, type PromptRun } from './cases.ts';
import { floats, ints, type CompiledGraph, type Feed } from './compiler.ts';
import { lastIndex, packedSize, rowPositions, walkIndex, type PackedRun } from './packing.ts';
import { isSquare, pointName, POINTS } from './points.ts';
import type { PatchSessions } from './sessions.ts';

/** Arrays that every run of a block gives without being asked at an inner point. */
const FAST: ReadonlySet<HookName> = new Set<HookName>([
  'blocks.{layer}.attn.hook_z',
  'blocks.{layer}.hook_attn_out',
  'blocks.{layer}.hook_resid_mid',
  'blocks.{layer}.hook_mlp_out',
]);
const PRE: HookName = 'blocks.{layer}.hook_resid_pre';
const POST: HookName = 'blocks.{layer}.hook_resid_post';

/** What base runs must record. */
export interface RecordNeeds {
  readonly hooks: ReadonlySet<HookName>;
  /** All rows of the last block, not those at read positions alone. */
  readonly lastFull: boolean;
}

interface BaseRun extends PackedRun {
  readonly index: number;
  /** The run that it equals before `from`. */
  readonly prefix: BaseRun | null;
  /** First of its rows among the read rows. */
  readonly readRow: number;
}

interface Recorded {
  readonly data: Float32Array;
  readonly width: number;
  readonly rows: 'all' | 'reads';
  /** For `square` hooks: queries and keys of the packed batch. */
  readonly square: { readonly n: number; readonly S: number } | null;
}

type LayerArrays = Map<HookName | 'k' | 'v', Recorded>;

export type Side = 'target' | 'other' | 'donor';

/**
 * The unpatched runs of a group of cases, in one packed sequence: for each case the target run (the one
 * patched into), its other run and, where there is one, the donor. Before the first difference a run's
 * tokens are the target's, so only the rest is computed.
 */
export class Baseline {
  readonly rows: number;
  readonly #sessions: PatchSessions;
  readonly #layers: readonly LayerArrays[];
  readonly #sides: readonly Readonly<Record<Side, BaseRun | null>>[];
  /** [reads, d] normalised final rows. */
  readonly #finals: Float32Array;

  constructor(
    sessions: PatchSessions,
    rows: number,
    layers: readonly LayerArrays[],
    sides: readonly Readonly<Record<Side, BaseRun | null>>[],
    finals: Float32Array,
  ) {
    this.#sessions = sessions;
    this.rows = rows;
    this.#layers = layers;
    this.#sides = sides;
    this.#finals = finals;
  }

  /** Cached keys (turned) and values of every run at a layer, [rows, G·dh]. */
  cache(layer: number): { k: Feed; v: Feed } {
    const { config } = this.#sessions;
    const dims = [this.rows, kvHeads(config) * headWidth(config)];
    return { k: floats(this.#array(layer, 'k').data, dims), v: floats(this.#array(layer, 'v').data, dims) };
  }

  #array(layer: number, name: HookName | 'k' | 'v'): Recorded {
    const array = this.#layers[layer]?.get(name);
    invariant(array !== undefined, `${name} of layer ${layer} was not recorded`);
    return array;
  }

  #run(one: number, side: Side): BaseRun {
    const run = this.#sides[one]?.[side] ?? null;
    invariant(run !== null, `case ${one} has no ${side} run`);
    return run;
  }

  /** Row of the cache at which the case's target run begins. */
  prefixRow(one: number): number {
    return this.#run(one, 'target').row;
  }

  /** A recorded row. @throws InvariantError where a row of the last block was not kept. */
  row(one: number, side: Side, layer: number, hook: HookName, token: number): Float32Array {
    const run = this.#at(one, side, token);
    if (hook === POST && layer + 1 < this.#sessions.config.nLayer)
      return this.row(one, side, layer + 1, PRE, token);
    const { data, width, rows } = this.#array(layer, hook);
    const r = rows === 'all' ? run.row + token - run.from : readRow(run, token);
    return data.subarray(r * width, (r + 1) * width);
  }

  /** Scores or pattern of one query of one head over the keys up to it, [query + 1]. */
  square(one: number, side: Side, layer: number, hook: HookName, head: number, query: number): Float32Array {
    const run = this.#at(one, side, query);
    const { data, square } = this.#array(layer, hook);
    invariant(square !== null, `${hook} is recorded as squares`);
    const at = ((run.index * this.#sessions.config.nHead + head) * square.n + query - run.from) * square.S;
    return data.subarray(at, at + query + 1);
  }

  #at(one: number, side: Side, token: number): BaseRun {
    const run = this.#run(one, side);
    return token < run.from && run.prefix !== null ? run.prefix : run;
  }

  /** Normalised final rows at the read positions, [R, d]. */
  finalRows(one: number, side: Side): Float32Array {
    const { readRow: from, reads } = this.#run(one, side);
    const d = this.#sessions.config.dModel;
    return this.#finals.subarray(from * d, (from + reads.length) * d);
  }
}

function readRow(run: BaseRun, token: number): number {
  const at = run.reads.indexOf(token);
  invariant(at >= 0, `token ${token} is no read position, and the last block's other rows were not kept`);
  return run.readRow + at;
}

/** The packed runs of all cases, and the prompts they are of. */
function packRuns(cases: readonly PatchCase[]): {
  runs: BaseRun[];
  prompts: PromptRun[];
  sides: Record<Side, BaseRun | null>[];
} {
  const runs: BaseRun[] = [];
  const prompts: PromptRun[] = [];
  let row = 0;
  let reads = 0;
  const append = (prompt: PromptRun, from: number, prefix: BaseRun | null): BaseRun => {
    const to = prompt.reads.at(-1) ?? prompt.ids.length - 1;
    const run: BaseRun = {
      row,
      from,
      to,
      prefixRow: prefix?.row ?? 0,
      prefix,
      reads: prompt.reads,
      readRow: reads,
      index: runs.length,
    };
    row += to - from + 1;
    reads += prompt.reads.length;
    runs.push(run);
    prompts.push(prompt);
    return run;
  };
  const sides = cases.map(({ target, other, donor }) => {
    const base = append(target, 0, null);
    // Where nothing differs up to the first read position the run is the target run.
    const continued = (prompt: PromptRun): BaseRun =>
      append(
        prompt,
        Math.min(firstDifference(target, prompt), prompt.reads[0] ?? 0, target.reads[0] ?? 0),
        base,
      );
    return { target: base, other: continued(other), donor: donor === null ? null : continued(donor) };
  });
  return { runs, prompts, sides };
}

export const emptyRows = (width: number): Feed => floats(new Float32Array(0), [0, width]);

/** Runs every base run once and records what the patches of the task need. */
export async function runBaseline(
  sessions: PatchSessions,
  cases: readonly PatchCase[],
  needs: RecordNeeds,
  check: () => void,
): Promise<Baseline> {
  const { config } = sessions;
  const { dModel: d, nLayer: L } = config;
  const D = config.nHead * headWidth(config);
  const { runs, prompts, sides } = packRuns(cases);
  const N = runs.reduce((s, r) => s + r.to - r.from + 1, 0);
  const embedded = await embedRuns(sessions, runs, prompts);
  const turning = config.rotary === undefined ? {} : { row_position: rowPositions(runs) };
  const none = {
    cache_k: emptyRows(kvHeads(config) * headWidth(config)),
    cache_v: emptyRows(kvHeads(config) * headWidth(config)),
    z_extra: emptyRows(D),
    z_resid: emptyRows(d),
    mid_extra: emptyRows(d),
    ...turning,
  };
  const index = walkIndex(runs, 0);
  const { queries: n, keys: S } = packedSize(runs);
  const fast = [...needs.hooks].filter((hook) => FAST.has(hook));
  const inner = [...needs.hooks].filter(
    (hook) => !FAST.has(hook) && hook !== PRE && hook !== POST && hook.includes('{layer}'),
  );
  const record = inner.map(pointName);

  let x = embedded.x;
  const layers: LayerArrays[] = [];
  const keep = (out: Record<string, Float32Array>, rows: 'all' | 'reads', arrays: LayerArrays): void => {
    const put = (
      name: HookName | 'k' | 'v',
      data: Float32Array | undefined,
      width: number,
      square: Recorded['square'] = null,
    ): void => {
      if (data !== undefined)
        arrays.set(name, { data, width, rows: name === 'k' || name === 'v' ? 'all' : rows, square });
    };
    const kv = kvHeads(config) * headWidth(config);
    put('k', out['k'], kv);
    put('v', out['v'], kv);
    for (const hook of fast) put(hook, out[pointName(hook)], POINTS[hook].width(config));
    for (const hook of inner) {
      const square = isSquare(hook) ? { n, S } : null;
      put(hook, out[`${pointName(hook)}:out`], square === null ? POINTS[hook].width(config) : n * S, square);
    }
  };
  const block = async (layer: number): Promise<Float32Array> => {
    const session: CompiledGraph =
      record.length === 0 ? await sessions.walk(layer) : await sessions.inner(layer, { edit: [], record });
    const out = await session.run({ x: floats(x, [N, d]), ...none, ...index }, [
      'y',
      'k',
      'v',
      ...fast.map(pointName),
      ...record.map((point) => `${point}:out`),
    ]);
    const arrays = layers[layer] ?? new Map<HookName | 'k' | 'v', Recorded>();
    layers[layer] = arrays;
    arrays.set(PRE, { data: x, width: d, rows: 'all', square: null });
    keep(out, 'all', arrays);
    const { y } = out;
    invariant(y !== undefined, 'a block gives y');
    return y;
  };
  for (let layer = 0; layer < L - 1; layer++) {
    check();
    x = await block(layer);
  }
  check();
  const last = await sessions.last();
  const out = await last.run(
    { x: floats(x, [N, d]), ...none, post_extra: emptyRows(d), ...lastIndex(runs, 0) },
    ['h', 'post', 'k', 'v', ...fast.map(pointName)],
  );
  const { h, post } = out;
  invariant(h !== undefined && post !== undefined, 'the last block gives h');
  const arrays: LayerArrays = new Map();
  layers.push(arrays);
  arrays.set(PRE, { data: x, width: d, rows: 'all', square: null });
  arrays.set(POST, { data: post, width: d, rows: 'reads', square: null });
  keep(out, 'reads', arrays);
  if (needs.lastFull) {
    arrays.set(POST, { data: await block(L - 1), width: d, rows: 'all', square: null });
  }
  for (const [hook, data] of embedded.parts)
    layers[0]?.set(hook, { data, width: d, rows: 'all', square: null });
  await recordFinal(sessions, needs, post, layers[0]);
  return new Baseline(sessions, N, layers, sides, h);
}

/** Hooks of the final norm, whose rows are the read rows; kept with layer 0 like all hooks without a layer. */
async function recordFinal(
  sessions: PatchSessions,
  needs: RecordNeeds,
  post: Float32Array,
  arrays: LayerArrays | undefined,
): Promise<void> {
  const hooks = [...needs.hooks].filter((hook) => POINTS[hook].stage === 'final' && hook !== 'logits');
  if (hooks.length === 0) return;
  const session = await sessions.final({ edit: [], record: hooks });
  const rows = post.length / sessions.config.dModel;
  const out = await session.run(
    { post: floats(post, [rows, sessions.config.dModel]) },
    hooks.map((hook) => `${hook}:out`),
  );
  for (const hook of hooks) {
    const data = out[`${hook}:out`];
    invariant(data !== undefined, `${hookInfo(hook).label} of the final rows`);
    arrays?.set(hook, { data, width: POINTS[hook].width(sessions.config), rows: 'reads', square: null });
  }
}

/** Embeddings of all packed rows, with the noise of noisy runs, and the parts they are the sum of. */
async function embedRuns(
  sessions: PatchSessions,
  runs: readonly BaseRun[],
  prompts: readonly PromptRun[],
): Promise<{ x: Float32Array; parts: Map<HookName, Float32Array> }> {
  const d = sessions.config.dModel;
  const rows = runs.flatMap((run, i) =>
    Array.from({ length: run.to - run.from + 1 }, (_, k) => ({ prompt: prompts[i], t: run.from + k })),
  );
  const N = rows.length;
  const session = await sessions.embed();
  const learned = sessions.config.rotary === undefined;
  const out = await session.run(
    {
      ids: ints(
        rows.map(({ prompt, t }) => prompt?.ids[t] ?? 0),
        [N],
      ),
      ...(learned
        ? {
            positions: ints(
              rows.map(({ t }) => t),
              [N],
            ),
          }
        : {}),
    },
    ['x', 'hook_embed', ...(learned ? ['hook_pos_embed'] : [])],
  );
  const { x, hook_embed: tokens, hook_pos_embed: positions } = out;
  invariant(x !== undefined && tokens !== undefined, 'the embedding gives x');
  rows.forEach(({ prompt, t }, r) => {
    const noise = prompt?.noise?.at.get(t);
    noise?.forEach((value, i) => {
      const at = r * d + i;
      tokens[at] = (tokens[at] ?? 0) + value;
      // As the model adds them: (token + noise) + position.
      x[at] = (tokens[at] ?? 0) + (positions?.[at] ?? 0);
    });
  });
  const parts = new Map<HookName, Float32Array>([['hook_embed', tokens]]);
  if (positions !== undefined) parts.set('hook_pos_embed', positions);
  return { x, parts };
}
