/** What ends that in which nothing is markup. */
const CLOSES: Readonly<Record<string, string | undefined>> = {
  '"': '"',
  "'": "'",
  '<!--': '-->',
  '<?': '?>',
};

/**
 * Finds the end of a DOCTYPE whose keyword ends at `from`: the place after its `>`, or -1 while it is not there.
 * `entities`: it declares entities, whether it ends or not. Nothing else in it is looked at.
 */
export function readDoctype(
  text: string,
  from: number,
): { readonly end: number; readonly entities: boolean } {
  const mark = /["'[\]>]|<!--|<\?|<!ENTITY/g;
  mark.lastIndex = from;
  let inside = false;
  for (;;) {
    const found = mark.exec(text);
    if (found === null) return { end: -1, entities: false };
    const [what] = found;
    if (what === '<!ENTITY') return { end: -1, entities: true };
    if (what === '>' && !inside) return { end: found.index + 1, entities: false };
    if (what === '[') inside = true;
    if (what === ']') inside = false;
    const close = CLOSES[what];
    if (close === undefined) continue;
    const after = text.indexOf(close, mark.lastIndex);
    if (after < 0) return { end: -1, entities: false };
    mark.lastIndex = after + close.length;
  }
}
