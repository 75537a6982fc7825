/**
 * Places dots of one size over their values without overlap: the row of each dot, 0 on the line, then
 * 1, −1, 2, −2 … `positions` in pixels; all on the line where there is no room (no diameter).
 */
export function swarm(
  positions: readonly number[],
  diameter: number,
  sides: 'both' | 'up' = 'both',
): number[] {
  if (!(diameter > 0)) return positions.map(() => 0);
  const rows: number[] = new Array<number>(positions.length).fill(0);
  const ends = new Map<number, number>();
  const order = positions.map((_, i) => i).sort((a, b) => (positions[a] ?? 0) - (positions[b] ?? 0));
  for (const i of order) {
    const x = positions[i] ?? 0;
    for (let step = 0; ; step++) {
      const row = sides === 'up' ? step : step % 2 === 0 ? 0 - step / 2 : (step + 1) / 2;
      if (x - (ends.get(row) ?? -Infinity) >= diameter) {
        rows[i] = row;
        ends.set(row, x);
        break;
      }
    }
  }
  return rows;
}
