/** Terms in the table's columns; the rest are reached through the facets. */
export const SHOWN_TERMS = 3;

/** Category colours whose thin lines pass on both grounds, in fixed order. */
const TERM_COLOURS = ['var(--c-1)', 'var(--c-6)', 'var(--c-3)', 'var(--c-4)'] as const;

export function termColour(index: number): string {
  return TERM_COLOURS[index % TERM_COLOURS.length] ?? 'var(--c-1)';
}
