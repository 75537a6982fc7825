export interface Word {
  readonly text: string;
  readonly differs: boolean;
}

const MOST_CELLS = 4_000_000;

/** The words of `text`, marked where they are not part of the longest common subsequence with `base`. */
export function wordDiff(base: string, text: string): Word[] {
  const a = base.split(/\s+/);
  const b = text.split(/\s+/);
  const width = b.length + 1;
  if ((a.length + 1) * width > MOST_CELLS) return b.map((word) => ({ text: word, differs: false }));
  // lengths[i * width + j]: longest common subsequence of a[i…] and b[j…].
  const lengths = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number) => lengths[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const words: Word[] = [];
  let i = 0;
  for (let j = 0; j < b.length; j++) {
    while (i < a.length && a[i] !== b[j] && at(i + 1, j) > at(i, j + 1)) i++;
    const same = i < a.length && a[i] === b[j];
    words.push({ text: b[j] ?? '', differs: !same });
    if (same) i++;
  }
  return words;
}
