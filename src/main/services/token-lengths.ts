import { setImmediate } from 'node:timers/promises';
import { openTokenizer } from '../models/index.ts';

interface Lengths {
  readonly of: number;
  readonly median: number;
  readonly longest: number;
  readonly bins: { from: number; count: number }[];
}

const BIN = 64;
/** The last bin holds everything from here on: GPT-2 reads 1,024 tokens. */
const LAST = 1024;
/** Texts measured between two pauses. */
const CHUNK = 50;

/** How long texts are in tokens of the tokenizer in a folder, by bins of 64. */
export async function tokenLengths(texts: readonly string[], folder: () => string): Promise<Lengths> {
  const tokenizer = texts.length === 0 ? null : await openTokenizer(folder());
  const lengths: number[] = [];
  for (const [index, text] of texts.entries()) {
    if (tokenizer !== null) lengths.push(tokenizer.encode(text).length);
    if (index % CHUNK === CHUNK - 1) await setImmediate();
  }
  const sorted = lengths.toSorted((a, b) => a - b);
  const bins = Array.from({ length: LAST / BIN + 1 }, (_, i) => ({ from: i * BIN, count: 0 }));
  for (const length of lengths) {
    const bin = bins[Math.min(Math.floor(length / BIN), LAST / BIN)];
    if (bin !== undefined) bin.count++;
  }
  return {
    of: lengths.length,
    median: sorted[Math.floor(sorted.length / 2)] ?? 0,
    longest: sorted.at(-1) ?? 0,
    bins,
  };
}
