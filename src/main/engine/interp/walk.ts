import { headWidth } from '../../../shared/domain/index.ts';
import { invariant } from '../../../shared/errors/index.ts';
import { emptyRows, type Baseline } from './baseline.ts';
import type { Feed } from './compiler.ts';
import { editFeeds, type RunEdits } from './editFeeds.ts';
import type { Edit } from './edits.ts';
import { residOfZ, type Entry } from './entries.ts';
import { lastIndex, packedSize, rowPositions, walkIndex, type PackedRun } from './packing.ts';
import { blockKind, type Variant } from './plan.ts';
import { pointName, POINTS } from './points.ts';
import { Rows, sumRows } from './rows.ts';
import type { PatchSessions } from './sessions.ts';
import type { PatchValues } from './sources.ts';

/** A variant of one case of the group, ready to be packed. */
export interface WalkItem {
  readonly variant: Variant;
  /** Index of the case in the group. */
  readonly one: number;
  readonly reads: readonly number[];
}

interface Active {
  readonly item: number;
  readonly run: PackedRun;
}

/** A row that enters a block beside the packed ones, and where it belongs. */
interface Extra {
  readonly item: number;
  readonly token: number;
  readonly row: Float32Array;
}

const isFinal = (edit: Edit): boolean => POINTS[edit.hook].stage === 'final';
const isEmbedding = (edit: Edit): boolean => POINTS[edit.hook].stage === 'embedding';

/**
 * Carries every item through the layers in one packed batch: from its first patched layer on a patched run
 * holds only the tokens from its first patched one on, and attends to the target's cached keys and values for
 * the tokens before. Rows of an entry join ready-made; other edits are made inside their blocks. Returns the
 * normalised final rows at the read positions, items in order, [reads of all items, d].
 */
export async function walk(
  sessions: PatchSessions,
  base: Baseline,
  values: PatchValues,
  items: readonly WalkItem[],
  check: () => void,
): Promise<Float32Array> {
  const walker = new Walker(sessions, base, values, items);
  for (let layer = walker.firstLayer; layer < sessions.config.nLayer - 1; layer++) {
    check();
    await walker.block(layer);
  }
  check();
  return walker.finish();
}

class Walker {
  readonly firstLayer: number;
  readonly #sessions: PatchSessions;
  readonly #base: Baseline;
  readonly #values: PatchValues;
  readonly #items: readonly WalkItem[];
  readonly #capacity: number;
  #x: Rows;
  /** Items in the order of their rows, and where each begins. */
  readonly #active: Active[] = [];
  /** Rows that left the block as extras and join the next one: item → token → row. */
  #leaving = new Map<number, Map<number, Float32Array>>();

  constructor(sessions: PatchSessions, base: Baseline, values: PatchValues, items: readonly WalkItem[]) {
    this.#sessions = sessions;
    this.#base = base;
    this.#values = values;
    this.#items = items;
    this.firstLayer = Math.min(...items.map((it) => it.variant.layer));
    this.#capacity = items.reduce((s, it) => s + (it.reads.at(-1) ?? 0) - it.variant.start + 1, 0);
    this.#x = new Rows(sessions.config.dModel, this.#capacity);
  }

  #at(i: number): WalkItem {
    const item = this.#items[i];
    invariant(item !== undefined, `no item ${i}`);
    return item;
  }

  /** Items whose entry is at that stage of a layer. */
  #entering(stage: Entry['stage'], layer: number): number[] {
    return this.#items.flatMap(({ variant: { entry } }, i) =>
      entry?.stage === stage && entry.layer === layer ? [i] : [],
    );
  }

  /** The row an entry leaves at a token (METHODS section 1: one activation from the source into the target). */
  #entryRow(i: number, token: { readonly to: number; readonly from: number }): Float32Array {
    const { variant, one } = this.#at(i);
    const { entry } = variant;
    invariant(entry !== null, 'an entry');
    if (entry.head >= 0) {
      const dh = headWidth(this.#sessions.config);
      const [hook] = entry.target;
      invariant(hook !== undefined, 'a head enters into the target');
      const z = this.#base.row(one, 'target', entry.from, hook, token.to).slice();
      const source = this.#values.row(one, entry.from, hook, token.from);
      z.set(source.subarray(entry.head * dh, (entry.head + 1) * dh), entry.head * dh);
      return z;
    }
    const parts = [
      ...entry.target.map((hook) => this.#base.row(one, 'target', entry.from, hook, token.to)),
      ...entry.source.map((hook) => this.#values.row(one, entry.from, hook, token.from)),
    ];
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : sumRows(parts);
  }

  /** Appends a run's rows before a block: patched ones where given, the target's elsewhere. */
  #join(i: number, layer: number, patched: (token: number) => Float32Array | undefined): void {
    const { variant, one, reads } = this.#at(i);
    const to = reads.at(-1) ?? 0;
    this.#active.push({
      item: i,
      run: { row: this.#x.count, from: variant.start, to, prefixRow: this.#base.prefixRow(one), reads },
    });
    for (let t = variant.start; t <= to; t++) {
      this.#x.push(patched(t) ?? this.#base.row(one, 'target', layer, 'blocks.{layer}.hook_resid_pre', t));
    }
  }

  #joinAt(layer: number): void {
    for (const [i, rows] of this.#leaving) this.#join(i, layer, (t) => rows.get(t));
    this.#leaving = new Map();
    for (const i of this.#entering('x', layer)) {
      const tokens = new Map(this.#at(i).variant.edits[0]?.tokens.map((token) => [token.to, token]));
      this.#join(i, layer, (t) => {
        const token = tokens.get(t);
        return token === undefined ? undefined : this.#entryRow(i, token);
      });
    }
    this.#items.forEach(({ variant }, i) => {
      if (variant.entry !== null || variant.layer !== layer) return;
      this.#join(i, layer, (t) => (layer === 0 ? this.#embedded(i, t) : undefined));
    });
  }

  /** The embedding of a token whose parts are patched. */
  #embedded(i: number, t: number): Float32Array | undefined {
    const { variant, one } = this.#at(i);
    const part = (hook: 'hook_embed' | 'hook_pos_embed'): Float32Array | null => {
      const token = variant.edits.findLast((e) => e.hook === hook)?.tokens.find(({ to }) => to === t);
      return token === undefined ? null : this.#values.row(one, 0, hook, token.from);
    };
    const [tokens, positions] = [part('hook_embed'), part('hook_pos_embed')];
    if (tokens === null && positions === null) return undefined;
    const own = (hook: 'hook_embed' | 'hook_pos_embed'): Float32Array =>
      this.#base.row(one, 'target', 0, hook, t);
    if (!blockKind(this.#sessions.config).learned) return tokens ?? own('hook_embed');
    return sumRows([tokens ?? own('hook_embed'), positions ?? own('hook_pos_embed')]);
  }

  #extras(stage: 'z' | 'mid', layer: number, wanted: (item: number, token: number) => boolean): Extra[] {
    return this.#entering(stage, layer).flatMap((item) =>
      (this.#at(item).variant.edits[0]?.tokens ?? [])
        .filter(({ to }) => wanted(item, to))
        .map((token) => ({ item, token: token.to, row: this.#entryRow(item, token) })),
    );
  }

  #extraFeeds(z: readonly Extra[], mid: readonly Extra[], layer: number): Record<string, Feed> {
    const { config } = this.#sessions;
    const feed = (rows: readonly Float32Array[], width: number): Feed => {
      const all = new Rows(width, rows.length);
      for (const row of rows) all.push(row);
      return all.feed();
    };
    const resid = residOfZ(blockKind(config).parallel);
    return {
      z_extra: feed(
        z.map((e) => e.row),
        config.nHead * headWidth(config),
      ),
      z_resid: feed(
        z.map(({ item, token }) =>
          sumRows(resid.map((hook) => this.#base.row(this.#at(item).one, 'target', layer, hook, token))),
        ),
        config.dModel,
      ),
      mid_extra: feed(
        mid.map((e) => e.row),
        config.dModel,
      ),
    };
  }

  /** Edits to be made inside a block, by packed run. */
  #editsIn(layer: number): RunEdits[] {
    return this.#active.flatMap(({ item, run }, v) => {
      const { variant, one } = this.#at(item);
      if (variant.entry !== null) return [];
      const edits = variant.edits.filter((e) => e.layer === layer && !isFinal(e) && !isEmbedding(e));
      return edits.length === 0 ? [] : [{ v, run, one, edits }];
    });
  }

  /** One block over all rows; the packed rows of the result are the next `x`. Returns the rows of the extras. */
  async #run(layer: number, z: readonly Extra[], mid: readonly Extra[]): Promise<Float32Array> {
    const { config } = this.#sessions;
    const idle = this.#active.length === 0;
    if (idle) this.#x.push(new Float32Array(config.dModel));
    const runs = idle ? [IDLE] : this.#active.map((a) => a.run);
    const edits = this.#editsIn(layer);
    const points = [...new Set(edits.flatMap((r) => r.edits.map((e) => pointName(e.hook))))].sort();
    const session =
      points.length === 0
        ? await this.#sessions.walk(layer)
        : await this.#sessions.inner(layer, { edit: points, record: [] });
    const cache = this.#base.cache(layer);
    const packed = this.#x.count;
    const { y } = await session.run(
      {
        x: this.#x.feed(),
        cache_k: cache.k,
        cache_v: cache.v,
        ...this.#extraFeeds(z, mid, layer),
        ...walkIndex(runs, this.#base.rows),
        ...(config.rotary === undefined ? {} : { row_position: rowPositions(runs) }),
        ...editFeeds(edits, points, packedSize(runs), config, this.#values),
      },
      ['y'],
    );
    invariant(y !== undefined, 'a block gives y');
    if (idle) this.#x = new Rows(config.dModel, this.#capacity);
    else this.#x.take(y, packed);
    return y.subarray(packed * config.dModel);
  }

  async block(layer: number): Promise<void> {
    this.#joinAt(layer);
    const all = (): boolean => true;
    const [z, mid] = [this.#extras('z', layer, all), this.#extras('mid', layer, all)];
    if (this.#active.length + z.length + mid.length === 0) return;
    const d = this.#sessions.config.dModel;
    const left = await this.#run(layer, z, mid);
    [...z, ...mid].forEach(({ item, token }, r) => {
      const rows = this.#leaving.get(item) ?? new Map<number, Float32Array>();
      rows.set(token, left.subarray(r * d, (r + 1) * d));
      this.#leaving.set(item, rows);
    });
  }

  /** The last block at the read positions, and the final norm. */
  async finish(): Promise<Float32Array> {
    const { config } = this.#sessions;
    const { dModel: d, nLayer: L } = config;
    this.#joinAt(L - 1);
    const after: Extra[] = [];
    // Edits inside the last block want all its rows; what leaves it enters behind the block.
    if (this.#editsIn(L - 1).length > 0) {
      await this.#run(L - 1, [], []);
      for (const { item, run } of this.#active.splice(0)) {
        for (const t of run.reads) {
          if (t >= run.from) after.push({ item, token: t, row: this.#x.row(run.row + t - run.from).slice() });
        }
      }
      this.#x = new Rows(d, 1);
    }
    for (const item of this.#entering('x', L)) {
      for (const token of this.#at(item).variant.edits[0]?.tokens ?? []) {
        after.push({ item, token: token.to, row: this.#entryRow(item, token) });
      }
    }
    for (const [i, { variant, one, reads }] of this.#items.entries()) {
      // Patched in the final norm alone: the rows before it are the target's.
      if (variant.entry === null && variant.layer >= L) {
        for (const t of reads)
          after.push({
            item: i,
            token: t,
            row: this.#base.row(one, 'target', L - 1, 'blocks.{layer}.hook_resid_post', t),
          });
      }
    }
    const read = (item: number, token: number): boolean => this.#at(item).reads.includes(token);
    const [z, mid] = [this.#extras('z', L - 1, read), this.#extras('mid', L - 1, read)];
    const places = [
      ...this.#active.flatMap(({ item, run }) =>
        run.reads.filter((t) => t >= run.from).map((token) => ({ item, token })),
      ),
      ...z,
      ...mid,
      ...after,
    ];
    const h = await this.#last(z, mid, after, places.length);
    return this.#gathered(places, await this.#finalEdits(places, h));
  }

  async #last(
    z: readonly Extra[],
    mid: readonly Extra[],
    after: readonly Extra[],
    count: number,
  ): Promise<{ h: Float32Array; post: Float32Array }> {
    const { config } = this.#sessions;
    const { dModel: d, nLayer: L } = config;
    const idle = this.#active.length === 0;
    if (idle) this.#x.push(new Float32Array(d));
    const runs = idle ? [IDLE] : this.#active.map((a) => a.run);
    const cache = this.#base.cache(L - 1);
    const post = new Rows(d, after.length);
    for (const { row } of after) post.push(row);
    const last = await this.#sessions.last();
    const withPost = this.#items.some(({ variant }) => variant.edits.some(isFinal));
    const out = await last.run(
      {
        x: this.#x.feed(),
        cache_k: cache.k,
        cache_v: cache.v,
        ...this.#extraFeeds(z, mid, L - 1),
        post_extra: after.length === 0 ? emptyRows(d) : post.feed(),
        ...lastIndex(runs, this.#base.rows),
        ...(config.rotary === undefined ? {} : { row_position: rowPositions(runs) }),
      },
      withPost ? ['h', 'post'] : ['h'],
    );
    invariant(out['h'] !== undefined, 'the last block gives h');
    const from = idle ? d : 0;
    const rows = (x: Float32Array | undefined): Float32Array =>
      (x ?? new Float32Array(0)).subarray(from, from + count * d);
    return { h: rows(out['h']), post: rows(out['post']) };
  }

  /** Runs the final norm again over the rows of items that are patched inside it. */
  async #finalEdits(
    places: readonly { readonly item: number; readonly token: number }[],
    { h, post }: { h: Float32Array; post: Float32Array },
  ): Promise<Float32Array> {
    const { config } = this.#sessions;
    const d = config.dModel;
    const chosen = places.flatMap(({ item, token }, r) => {
      const edits = this.#at(item).variant.edits.filter(
        (e) => isFinal(e) && e.tokens.some(({ to }) => to === token),
      );
      return edits.length === 0 ? [] : [{ r, item, token, edits }];
    });
    if (chosen.length === 0) return h;
    const rows = new Rows(d, chosen.length);
    for (const { r } of chosen) rows.push(post.subarray(r * d, (r + 1) * d));
    const points = [...new Set(chosen.flatMap(({ edits }) => edits.map((e) => pointName(e.hook))))].sort();
    const session = await this.#sessions.final({ edit: points, record: [] });
    const runs = chosen.map(({ item, token, edits }, row): RunEdits => ({
      v: row,
      run: { row, from: token, to: token, prefixRow: 0, reads: [token] },
      one: this.#at(item).one,
      edits: edits.map((e) => ({ ...e, tokens: e.tokens.filter(({ to }) => to === token) })),
    }));
    const size = { queries: 1, keys: 1 };
    const { h: patched } = await session.run(
      { post: rows.feed(), ...editFeeds(runs, points, size, config, this.#values) },
      ['h'],
    );
    invariant(patched !== undefined, 'the final norm gives h');
    const out = h.slice();
    chosen.forEach(({ r }, i) => out.set(patched.subarray(i * d, (i + 1) * d), r * d));
    return out;
  }

  /** Rows in the order of items and reads; those that nothing changed are the target's. */
  #gathered(
    places: readonly { readonly item: number; readonly token: number }[],
    h: Float32Array,
  ): Float32Array {
    const d = this.#sessions.config.dModel;
    const starts: number[] = [];
    let total = 0;
    for (const { reads } of this.#items) {
      starts.push(total);
      total += reads.length;
    }
    const finals = new Float32Array(total * d);
    this.#items.forEach(({ one }, i) => {
      finals.set(this.#base.finalRows(one, 'target'), (starts[i] ?? 0) * d);
    });
    places.forEach(({ item, token }, r) => {
      const at = (starts[item] ?? 0) + this.#at(item).reads.indexOf(token);
      finals.set(h.subarray(r * d, (r + 1) * d), at * d);
    });
    return finals;
  }
}

/** A run of one row of zeros, where a block has only extra rows to compute. */
const IDLE: PackedRun = { row: 0, from: 0, to: 0, prefixRow: 0, reads: [0] };
