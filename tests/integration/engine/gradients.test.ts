import { describe, expect, it } from 'vitest';
import { gradients } from '../../../src/main/engine/autodiff/backward.ts';
import { NO_GRADIENT, VJP } from '../../../src/main/engine/autodiff/table.ts';
import { Graph, OPS, elements } from '../../../src/main/engine/graph/index.ts';
import * as b from '../../../src/main/engine/graph/builder.ts';
import { SessionFactory, f32, floats, type Feeds } from '../../../src/main/runtime/sessions.ts';
import { GRADIENT_CASES, type GradientCase } from './gradient-cases.ts';

const sessions = new SessionFactory({ threads: 1, provider: 'cpu' });

/** Small seeded generator (mulberry32): the cases are the same at every run. */
function uniform(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Analytic and numeric gradients of Σ cotangent·output, for all inputs one after the other. */
async function compare(test: GradientCase): Promise<{ analytic: number[]; numeric: number[] }> {
  const random = uniform(7);
  const [low, high] = [test.low ?? -2, test.high ?? 2];
  const g = new Graph('check');
  const inputs = test.shapes.map((shape, i) => g.input(`x${i}`, 'float32', shape));
  const outputs = test.build(g, inputs);
  const cotangents = outputs.map((o, i) => g.input(`c${i}`, 'float32', o.shape));
  const seeds = outputs.map((tensor, i) => ({ tensor, cotangent: cotangents[i] ?? tensor }));
  outputs.forEach((o, i) => g.output(`y${i}`, o));
  gradients(g, seeds, inputs).forEach((d, i) => {
    expect(d?.shape, `gradient of input ${i}`).toEqual(inputs[i]?.shape);
    if (d !== null) g.output(`d${i}`, d);
  });
  const feeds: Record<string, Feeds[string]> = {};
  for (const t of [...inputs, ...cotangents]) {
    const isInput = inputs.includes(t);
    const size = elements(t.shape) ?? 0;
    const data = Float32Array.from({ length: size }, () =>
      isInput ? low + (high - low) * random() : 2 * random() - 1,
    );
    feeds[t.name] = f32(data, t.shape.map(Number));
  }
  const session = await sessions.open(g);
  const loss = async (): Promise<number> => {
    const results = await session.run(
      feeds,
      outputs.map((_, i) => `y${i}`),
    );
    return outputs.reduce((sum, _, i) => {
      const c = feeds[`c${i}`]?.data as Float32Array; // cotangents are fed as float32 above
      return sum + floats(results, `y${i}`).reduce((s, v, j) => s + v * (c[j] ?? 0), 0);
    }, 0);
  };
  const results = await session.run(feeds);
  const analytic = inputs.flatMap((_, i) => [...floats(results, `d${i}`)]);
  const numeric: number[] = [];
  const step = 5e-3;
  for (const t of inputs) {
    const data = feeds[t.name]?.data as Float32Array; // inputs are fed as float32 above
    for (let j = 0; j < data.length; j++) {
      const at = data[j] ?? 0;
      data[j] = at + step;
      const above = await loss();
      const up = data[j] ?? 0;
      data[j] = at - step;
      const below = await loss();
      numeric.push((above - below) / (up - (data[j] ?? 0)));
      data[j] = at;
    }
  }
  await session.close();
  return { analytic, numeric };
}

describe('gradient table', () => {
  it('decides for every op of the engine whether a gradient flows', () => {
    const undecided = Object.keys(OPS).filter((op) => !(op in VJP) && !NO_GRADIENT.has(op));
    // Only backward passes build the first two; a loop holds whole steps, backward pass and all.
    expect(undecided).toEqual(['Pad', 'GatherND', 'Loop']);
    expect(Object.keys(VJP).filter((op) => NO_GRADIENT.has(op))).toEqual([]);
  });

  it('has a numeric check for every rule', () => {
    expect(Object.keys(GRADIENT_CASES).sort()).toEqual(Object.keys(VJP).sort());
  });

  for (const [op, cases] of Object.entries(GRADIENT_CASES)) {
    for (const test of cases) {
      it(`${op}: ${test.name}`, async () => {
        const { analytic, numeric } = await compare(test);
        const scale = Math.max(...numeric.map(Math.abs), 1);
        // Central differences with step 5e-3: truncation ~1e-5 of the third derivative, rounding of float32
        // results ~1e-7/1e-2; 2e-3 leaves room for the steepest cases and none for a wrong formula.
        analytic.forEach((a, i) => expect(Math.abs(a - (numeric[i] ?? NaN)) / scale).toBeLessThan(2e-3));
        expect(analytic.length).toBe(numeric.length);
      });
    }
  }

  it('names the op and the input when a rule is missing', () => {
    const g = new Graph('missing');
    const x = g.input('x', 'float32', [2, 2]);
    const y = g.op('Pad', [x, g.ints([0, 0, 1, 0])], {}, [3, 2]);
    expect(() => gradients(g, [{ tensor: y, cotangent: y }], [x])).toThrow('input 0 (x) of Pad');
  });

  it('gives null where the loss does not depend on a tensor, and stops at whole numbers', () => {
    const g = new Graph('independent');
    const x = g.input('x', 'float32', [2]);
    const z = g.input('z', 'float32', [2]);
    const hidden = b.cast(g, b.cast(g, z, 'int64'), 'float32');
    const y = b.mul(g, x, hidden);
    const [dx, dz] = gradients(
      g,
      [{ tensor: y, cotangent: g.constant('one', [2], Float32Array.of(1, 1)) }],
      [x, z],
    );
    expect(dx?.shape).toEqual([2]);
    expect(dz).toBeNull();
  });
});
