/**
 * Case- and diacritic-folding, the same for counting, highlighting and comparing texts: compatibility
 * decomposition (NFKD), combining marks dropped, lower case, final sigma as sigma. `É` and `e`, `CO₂` and
 * `co2`, `ﬁ` and `fi` fold to the same letters.
 */
export function fold(text: string): string {
  if (isAscii(text)) return text.toLowerCase();
  return text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replaceAll('ς', 'σ');
}

export interface FoldedText {
  readonly text: string;
  /** The range of the original (UTF-16 offsets, end exclusive) that a range of the folded text came from. */
  sourceRange(start: number, end: number): { readonly start: number; readonly end: number };
}

/** `fold` with the way back to the original offsets. */
export function foldWithOffsets(text: string): FoldedText {
  if (isAscii(text)) {
    return { text: text.toLowerCase(), sourceRange: (start, end) => ({ start, end }) };
  }
  let folded = '';
  const origins: number[] = [];
  let offset = 0;
  for (const character of text) {
    const part = fold(character);
    for (let i = 0; i < part.length; i += 1) origins.push(offset);
    folded += part;
    offset += character.length;
  }
  const originAt = (index: number): number => origins[index] ?? text.length;
  return {
    text: folded,
    sourceRange(start, end) {
      const last = originAt(end - 1);
      let next = end;
      while (next < origins.length && originAt(next) === last) next += 1;
      return { start: originAt(start), end: originAt(next) };
    },
  };
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) > 127) return false;
  return true;
}
