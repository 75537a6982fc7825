/** A warning in two parts: its first sentence is the fact, the rest is what follows from it. */
export function factAndText(warning: string): { title: string; text?: string } {
  const end = /[.:]\s+(?=\p{Lu})/u.exec(warning);
  if (end === null) return { title: warning };
  return { title: warning.slice(0, end.index), text: warning.slice(end.index + end[0].length) };
}
