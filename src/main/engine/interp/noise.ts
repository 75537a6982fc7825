import { invariant } from '../../../shared/errors/index.ts';
import { Mt19937 } from '../random/index.ts';
import { ints } from './compiler.ts';
import type { PatchSessions } from './sessions.ts';
import type { NoiseSpec, PatchPair } from './types.ts';

/** Values added to token embeddings: token position → row [d]. */
export interface Noise {
  readonly at: ReadonlyMap<number, Float32Array>;
}

export interface NoiseSource {
  /** SD of the key tokens’ embeddings over all dimensions (n − 1), times the scale: that of the noise. */
  readonly sigma: number;
  readonly draw: (pair: number, draw: number) => Noise;
}

/** Tokens that noise corrupts: the pair's key tokens, else those in which its prompts differ. */
export function keyTokens(pair: PatchPair): number[] {
  return pair.key !== undefined
    ? [...pair.key]
    : pair.clean.flatMap((id, t) => (id === pair.corrupted[t] ? [] : [t]));
}

/** Distinct streams for every pair and draw, whatever the order in which they are asked for. */
function streamSeed(seed: number, pair: number, draw: number): number {
  let h = 0x811c9dc5;
  for (const value of [seed, pair, draw]) {
    for (let byte = 0; byte < 4; byte++) h = Math.imul(h ^ ((value >>> (8 * byte)) & 0xff), 0x01000193) >>> 0;
  }
  return h;
}

/** Reads the embeddings of all key tokens once and draws from them (METHODS section 3, GN). */
export async function noiseSource(
  sessions: PatchSessions,
  pairs: readonly PatchPair[],
  spec: NoiseSpec,
): Promise<NoiseSource> {
  const d = sessions.config.dModel;
  const ids = pairs.flatMap((pair) => keyTokens(pair).map((t) => pair.clean[t] ?? 0));
  const embed = await sessions.embed();
  const { hook_embed: rows } = await embed.run(
    {
      ids: ints(ids, [ids.length]),
      ...(sessions.config.rotary === undefined
        ? {
            positions: ints(
              ids.map(() => 0),
              [ids.length],
            ),
          }
        : {}),
    },
    ['hook_embed'],
  );
  invariant(rows !== undefined, 'token embeddings');
  const sigma = spec.scale * deviation(rows);
  return {
    sigma,
    draw: (pair, draw) => {
      const random = new Mt19937(streamSeed(spec.seed, pair, draw));
      const tokens = keyTokens(
        pairs[pair] ?? { id: '', clean: [], corrupted: [], answer: [], wrong: [], read: 0 },
      );
      return {
        at: new Map(tokens.map((t) => [t, Float32Array.from({ length: d }, () => sigma * random.normal())])),
      };
    },
  };
}

function deviation(values: Float32Array): number {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const squares = values.reduce((sum, v) => sum + (v - mean) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}
