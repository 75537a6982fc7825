/** Positions of `p` from the smallest to the largest. */
function ascending(p: readonly number[]): number[] {
  return p.map((_, i) => i).sort((a, b) => (p[a] ?? 0) - (p[b] ?? 0));
}

/** Holm's step-down adjusted p values (family-wise error), in the order given. */
export function holm(p: readonly number[]): number[] {
  const adjusted = new Array<number>(p.length).fill(1);
  let running = 0;
  ascending(p).forEach((index, rank) => {
    running = Math.max(running, Math.min(1, (p.length - rank) * (p[index] ?? 1)));
    adjusted[index] = running;
  });
  return adjusted;
}

/** Benjamini–Hochberg adjusted p values (false discovery rate), in the order given. */
export function benjaminiHochberg(p: readonly number[]): number[] {
  const adjusted = new Array<number>(p.length).fill(1);
  let running = 1;
  ascending(p)
    .reverse()
    .forEach((index, fromTop) => {
      running = Math.min(running, (p.length / (p.length - fromTop)) * (p[index] ?? 1));
      adjusted[index] = running;
    });
  return adjusted;
}
