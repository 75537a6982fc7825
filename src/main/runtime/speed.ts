import { Graph } from '../engine/graph/index.ts';
import * as b from '../engine/graph/builder.ts';
import { f32, type SessionFactory } from './sessions.ts';

const SIZE = { rows: 384, inner: 768, columns: 1536 };
const RUNS = 9;

const measured = new WeakMap<
  SessionFactory,
  { readonly provider: string; readonly speed: Promise<number> }
>();

/**
 * Floating-point operations per second of a large float32 matrix product on this provider (the best of a few
 * runs, a few tens of milliseconds in all, so that another program's moment does not count; once per process).
 */
export function gemmSpeed(factory: SessionFactory): Promise<number> {
  const { provider } = factory;
  const known = measured.get(factory);
  // After a fallback another provider computes.
  if (known?.provider === provider) return known.speed;
  const speed = measureGemmSpeed(factory);
  measured.set(factory, { provider, speed });
  speed.catch(() => measured.delete(factory));
  return speed;
}

/** As `gemmSpeed`, measured anew. */
export async function measureGemmSpeed(factory: SessionFactory): Promise<number> {
  const { rows, inner, columns } = SIZE;
  const g = new Graph('gemm_speed');
  const x = g.input('x', 'float32', [rows, inner]);
  const w = g.constant('w', [inner, columns], new Float32Array(inner * columns).fill(0.01));
  // One number comes back, so that copying the result does not count.
  g.output('y', b.reduceSum(g, b.matmul(g, x, w), [0, 1], false));
  const session = await factory.open(g);
  const feeds = { x: f32(new Float32Array(rows * inner).fill(0.5), [rows, inner]) };
  await session.run(feeds);
  const times: number[] = [];
  for (let i = 0; i < RUNS; i++) {
    const start = performance.now();
    await session.run(feeds);
    times.push(performance.now() - start);
  }
  await session.close();
  return (2 * rows * inner * columns) / (Math.min(...times) / 1000);
}
