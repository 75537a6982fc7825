/**
 * How well a query fits a text: null when its letters do not occur in order; otherwise higher is better.
 * Whole words and word beginnings count more than scattered letters, shorter texts more than longer.
 */
export function fuzzyScore(query: string, text: string): number | null {
  const wanted = query.trim().toLowerCase();
  const hay = text.toLowerCase();
  if (wanted === '') return 0;
  const at = hay.indexOf(wanted);
  if (at >= 0) return 1000 - hay.length + (at === 0 || /\W/.test(hay.charAt(at - 1)) ? 500 : 0);
  let score = 0;
  let from = 0;
  const letters = wanted.replaceAll(' ', '');
  for (const letter of letters) {
    const found = hay.indexOf(letter, from);
    if (found < 0) return null;
    if (found === 0 || /\W/.test(hay.charAt(found - 1))) score += 20;
    else if (found === from) score += 10;
    from = found + 1;
  }
  // Letters scattered through a sentence are no match.
  return score < 10 * letters.length ? null : score - hay.length / 10;
}

/** Items that fit, best first; ties keep their order. */
export function fuzzyFilter<T>(items: readonly T[], query: string, text: (item: T) => string): T[] {
  return items
    .map((item) => ({ item, score: fuzzyScore(query, text(item)) }))
    .filter((entry): entry is { item: T; score: number } => entry.score !== null)
    .sort((a, b) => b.score - a.score)
    .map(({ item }) => item);
}
