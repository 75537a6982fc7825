import { createHash } from 'node:crypto';
import type { Provenance } from '../../shared/domain/index.ts';
import type { ComputeApi } from '../runtime/api.ts';

/** JSON with the keys of every object in order, so that equal values give equal text. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  });
}

/** SHA-256 of the canonical JSON: the hash of a computation's inputs. */
function inputHash(inputs: unknown): string {
  return createHash('sha256').update(canonicalJson(inputs)).digest('hex');
}

/** What a computation's row carries: hash of its inputs, seed, engine, provider and threads. */
export async function provenanceOf(compute: ComputeApi, inputs: unknown, seed: number): Promise<Provenance> {
  const { engine, provider, threads } = await compute.info();
  return {
    inputHash: inputHash(inputs),
    seed,
    engine,
    provider,
    threads,
    createdAt: new Date().toISOString(),
  };
}
