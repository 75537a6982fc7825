import type { ModelConfig } from '../../../shared/domain/index.ts';
import { invariant } from '../../../shared/errors/index.ts';
import type { NamedTensor } from '../../models/safetensors-writer.ts';

/** Times GPT-2's own spread, which is for a width of 768: at a width of 48 it hardly learns. */
const SPREAD = 5;
/** Size of the position waves, and of the queries and keys that read them. */
const WAVE = 0.3;
/** How many waves, each a sine and a cosine. */
const WAVES = 6;
const GAIN = 2;

/**
 * Fresh GPT-2 weights in which head 0 of layer 0 looks at the token before from the first step on; all is trained on
 * from there. Positions are sines and cosines in the first channels (free of tokens):
 * its query reads them as they are, its key as they are one position later (a rotation), and the product is largest
 * where the two agree: at the token before. Without that the same loss is reached by less readable ways.
 */
export function plantPreviousToken(config: ModelConfig, fresh: readonly NamedTensor[]): NamedTensor[] {
  const { dModel: d, nHead, nCtx, vocabSize } = config;
  const wide = 2 * Math.min(WAVES, Math.floor(d / nHead / 2));
  const angle = (pair: number): number => (2 * Math.PI * (pair + 1)) / nCtx;
  const weights = new Map(
    fresh.map(({ name, shape, data }) => [
      name,
      { name, shape, data: shape.length < 2 ? data : data.map((value) => value * SPREAD) },
    ]),
  );
  const dataOf = (name: string): Float32Array => {
    const found = weights.get(name);
    invariant(found !== undefined, `GPT-2 has the weight ${name}`);
    return found.data;
  };
  const positions = dataOf('wpe.weight').fill(0);
  const tokens = dataOf('wte.weight');
  const attention = dataOf('h.0.attn.c_attn.weight'); // [d, 3d]: queries, keys, values
  const entry = (from: number, part: 0 | 1, to: number): number => from * 3 * d + part * d + to;
  for (let channel = 0; channel < wide; channel++) {
    const wave = channel % 2 === 0 ? Math.cos : Math.sin;
    for (let t = 0; t < nCtx; t++)
      positions[t * d + channel] = WAVE * wave(angle(Math.floor(channel / 2)) * t);
    for (let token = 0; token < vocabSize; token++) tokens[token * d + channel] = 0;
    for (let from = 0; from < d; from++) {
      attention[entry(from, 0, channel)] = 0;
      attention[entry(from, 1, channel)] = 0;
    }
  }
  for (let pair = 0; pair < wide / 2; pair++) {
    const [cosine, sine] = [2 * pair, 2 * pair + 1];
    const [c, s] = [GAIN * Math.cos(angle(pair)), GAIN * Math.sin(angle(pair))];
    attention[entry(cosine, 0, cosine)] = GAIN;
    attention[entry(sine, 0, sine)] = GAIN;
    attention[entry(cosine, 1, cosine)] = c;
    attention[entry(sine, 1, cosine)] = -s;
    attention[entry(sine, 1, sine)] = c;
    attention[entry(cosine, 1, sine)] = s;
  }
  return [...weights.values()];
}
