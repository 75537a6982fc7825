/**
 * Lists in one cell. Tools disagree on the separator, so the first of these that applies decides: a list
 * as Python or JSON prints it (`['a', 'b']`), semicolons, bars, and commas.
 */
export function splitKeywords(text: string): string[] {
  return splitQuoted(text) ?? splitOn(text, [';', '|', ',']);
}

/**
 * As for keywords, but a comma separates authors only where every part is a whole name
 * (`Liu R., Adler D.G.`); in `Marx, Karl` it belongs to the name, as in `Marx, Karl and Engels, Friedrich`.
 */
export function splitAuthors(text: string): string[] {
  const quoted = splitQuoted(text);
  if (quoted !== null) return quoted;
  const parts = splitOn(text, [';', '|']);
  if (parts.length > 1) return parts;
  const joined = splitOn(text, [' and ']);
  if (joined.length > 1 && joined.every((name) => name.includes(','))) return joined;
  const names = splitOn(text, [',']);
  if (!names.every((name) => name.includes(' '))) return parts;
  // PubMed ends its list with a full stop.
  const stopped = names.filter((name) => name.endsWith('.')).length;
  return stopped === 1 ? names.map((name) => name.replace(/\.$/, '')) : names;
}

function splitOn(text: string, separators: readonly string[]): string[] {
  const separator = separators.find((candidate) => text.includes(candidate));
  const parts = separator === undefined ? [text] : text.split(separator);
  return parts.map((part) => part.replace(/\s+/g, ' ').trim()).filter((part) => part !== '');
}

function splitQuoted(text: string): string[] | null {
  const list = /^\s*\[(.*)\]\s*$/s.exec(text)?.[1];
  if (list === undefined || !/^\s*(?:$|['"])/.test(list)) return null;
  return [...list.matchAll(/'([^']*)'|"([^"]*)"/g)].map((match) => (match[1] ?? match[2] ?? '').trim());
}
