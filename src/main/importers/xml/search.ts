/** The next place of `what` at or after `from`; infinity without one. */
export function placeOf(text: string, what: string, from: number): number {
  const place = text.indexOf(what, from);
  return place < 0 ? Number.POSITIVE_INFINITY : place;
}

/** Whether a stretch of text holds nothing but blanks, tabs and line ends. */
export function isBlank(text: string, start: number, end: number): boolean {
  for (let i = start; i < end; i += 1) {
    const code = text.charCodeAt(i);
    if (code !== 0x20 && code !== 0x0a && code !== 0x09) return false;
  }
  return true;
}
