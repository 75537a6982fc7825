import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import * as b from '../../../src/main/engine/graph/builder.ts';
import { Graph } from '../../../src/main/engine/graph/index.ts';
import { decoderForward, unembed } from '../../../src/main/engine/nn/decoder.ts';
import { ModelCache, type LoadedModel } from '../../../src/main/runtime/modelCache.ts';
import { SessionFactory, f32, floats, i64, type Session } from '../../../src/main/runtime/sessions.ts';

const reference = (name: string): string =>
  fileURLToPath(new URL(`../../reference/${name}`, import.meta.url));

interface Effects {
  readonly hook: string;
  readonly metric: string;
  readonly axes: readonly string[];
  readonly shape: readonly number[];
  readonly raw: readonly (number | null)[];
}
interface Result {
  readonly pairs: readonly {
    readonly id: string;
    readonly clean_ids: readonly number[];
    readonly corrupted_ids: readonly number[];
  }[];
  readonly effects: readonly Effects[];
}
interface Line {
  readonly id: string;
  readonly answer: readonly (readonly number[])[];
  readonly wrong: readonly (readonly number[])[];
}

/** A point's values in one run: rows [T, width], heads [T, H, width], squares [H, T, T]. */
type Kind = 'rows' | 'heads' | 'squares';
const kindOf = (hook: string): Kind => {
  if (/hook_(pattern|attn_scores)$/.test(hook)) return 'squares';
  return /attn\.hook_(q|k|v|z|result)$/.test(hook) ? 'heads' : 'rows';
};

interface Cell {
  readonly index: number;
  readonly head: number | null;
  readonly position: number | null;
}

/** The cells of one layer of one pair, as the file lays them out. */
function cellsOf({ axes, shape }: Effects, pair: number, layer: number, length: number): Cell[] {
  const size = (axis: string): number | null => {
    const i = axes.indexOf(axis);
    return i < 0 ? null : (shape[i] ?? 0);
  };
  const [layers, heads, positions] = [size('layer') ?? 1, size('head'), size('position')];
  const cells: Cell[] = [];
  for (let h = 0; h < (heads ?? 1); h++) {
    for (let p = 0; p < Math.min(positions ?? 1, length); p++) {
      const index = ((pair * layers + layer) * (heads ?? 1) + h) * (positions ?? 1) + p;
      cells.push({ index, head: heads === null ? null : h, position: positions === null ? null : p });
    }
  }
  return cells;
}

/** 1 where a cell's values lie, over one run of `size` values. */
function maskOf(cell: Cell, kind: Kind, heads: number, T: number, size: number): Float32Array {
  return Float32Array.from({ length: size }, (_, i) => {
    const [head, position] =
      kind === 'squares'
        ? [Math.floor(i / (T * T)), null]
        : [Math.floor((i % (size / T)) / (size / T / heads)), Math.floor(i / (size / T))];
    const there =
      (cell.head === null || cell.head === head) && (cell.position === null || cell.position === position);
    return there ? 1 : 0;
  });
}

/** ids [B, T] → the logits of the last position [B, V], with the values of a point recorded or replaced. */
async function open(model: LoadedModel, point: string, mode: 'record' | 'replace'): Promise<Session> {
  const g = new Graph(`${mode}_${point}`);
  const { config } = model;
  const w = model.weights(g);
  const { hidden } = decoderForward(g, config, w, g.input('ids', 'int64', ['B', 'T']), {
    hook: (name, x) => {
      if (name !== point) return x;
      if (mode === 'record') {
        g.output('values', x);
        return x;
      }
      const [mask, source] = [g.input('mask', 'float32', x.shape), g.input('source', 'float32', x.shape)];
      return b.where(g, g.op('Greater', [mask, g.scalar(0)]), source, x);
    },
  });
  const rows = b.gather(g, hidden, g.input('rows', 'int64', ['R']));
  g.output('logits', unembed(g, config, w, rows));
  return model.compile(g);
}

const repeat = (values: ArrayLike<number>, times: number): number[] =>
  Array.from({ length: times }, () => Array.from(values)).flat();

function logitDifference(logits: Float32Array, line: Line): number {
  const mean = (ids: readonly number[]): number =>
    ids.reduce((s, id) => s + (logits[id] ?? NaN), 0) / ids.length;
  return mean(line.answer.flat()) - mean(line.wrong.flat());
}

const sessions = new SessionFactory({ threads: 1, provider: 'cpu' });
const models = new ModelCache(sessions, 2 ** 30);

/** tests/reference/README.md: raw logit_diff. */
const TOLERANCE = 5e-5;

const FILES = [
  ['tiny-llama', 'tiny-llama-patch.json'],
  ['tiny-neox', 'tiny-neox-patch.json'],
  ['tiny-gpt2', 'tiny-gpt2-patch-more.json'],
] as const;

describe.each(FILES)('%s: %s', (name, file) => {
  const results = JSON.parse(readFileSync(reference(file), 'utf8')) as Readonly<
    Record<'denoising' | 'noising', Result>
  >;
  const lines = readFileSync(reference(`${name}-pairs.jsonl`), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
  const hooks = [...new Set(results.denoising.effects.map(({ hook }) => hook))];

  it.each(hooks)('%s is patched as TransformerLens patches it', async (hook) => {
    const model = await models.get(reference(name));
    const kind = kindOf(hook);
    let compared = 0;
    for (let layer = 0; layer < (hook.includes('{layer}') ? model.config.nLayer : 1); layer++) {
      const point = hook.replace('{layer}', String(layer));
      const [record, replace] = [await open(model, point, 'record'), await open(model, point, 'replace')];
      for (const direction of ['denoising', 'noising'] as const) {
        const { pairs, effects } = results[direction];
        const entries = effects.filter((e) => e.hook === hook && e.metric === 'logit_diff');
        expect(entries.length).toBeGreaterThan(0);
        for (const [p, pair] of pairs.entries()) {
          const [base, source] =
            direction === 'denoising'
              ? [pair.corrupted_ids, pair.clean_ids]
              : [pair.clean_ids, pair.corrupted_ids];
          const line = lines.find(({ id }) => id === pair.id);
          if (line === undefined) throw new Error(`no pair ${pair.id}`);
          const T = base.length;
          const { values } = await record.run({ ids: i64(source, [1, T]), rows: i64([T - 1], [1]) });
          if (!(values?.data instanceof Float32Array)) throw new Error(`no values of ${point}`);
          const { data, dims } = values;
          const heads = (kind === 'squares' ? dims[1] : kind === 'heads' ? dims[2] : 1) ?? 1;
          for (const entry of entries) {
            const cells = cellsOf(entry, p, layer, T);
            const B = cells.length;
            const whole = [(dims[0] ?? 1) * B, ...dims.slice(1)];
            const masks = new Float32Array(B * data.length);
            cells.forEach((cell, i) => {
              masks.set(maskOf(cell, kind, heads, T, data.length), i * data.length);
            });
            const run = await replace.run({
              ids: i64(repeat(base, B), [B, T]),
              rows: i64(
                cells.map((_, i) => i * T + T - 1),
                [B],
              ),
              mask: f32(masks, whole),
              source: f32(Float32Array.from(repeat(data, B)), whole),
            });
            const logits = floats(run, 'logits');
            const V = model.config.vocabSize;
            cells.forEach((cell, i) => {
              const got = logitDifference(logits.subarray(i * V, (i + 1) * V), line);
              const where = `${point} ${direction} ${pair.id} head ${cell.head} position ${cell.position}`;
              expect(Math.abs(got - (entry.raw[cell.index] ?? NaN)), where).toBeLessThan(TOLERANCE);
              compared += 1;
            });
          }
        }
      }
      await record.close();
      await replace.close();
    }
    expect(compared).toBeGreaterThan(0);
  });
});
