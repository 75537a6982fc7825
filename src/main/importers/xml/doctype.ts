/**
 * Finds the end of a DOCTYPE whose keyword ends at `from`: the place after its `>`, or -1 while it is not there.
 * `entities`: it declares entities, whether it ends or not. Nothing else in it is looked at.
 */
export function readDoctype(
  text: string,
  from: number,
): { readonly end: number; readonly entities: boolean } {
  const declared = text.indexOf('<!ENTITY', from);
  const mark = /["'[\]>]|<!--/g;
  mark.lastIndex = from;
  let inside = false;
  for (;;) {
    const found = mark.exec(text);
    if (found === null) return { end: -1, entities: false };
    const [what] = found;
    if (declared >= 0 && declared < found.index) return { end: -1, entities: true };
    if (what === '>' && !inside) return { end: found.index + 1, entities: false };
    if (what === '[') inside = true;
    if (what === ']') inside = false;
    const close = what === '<!--' ? '-->' : what === '"' || what === "'" ? what : null;
    if (close === null) continue;
    const after = text.indexOf(close, mark.lastIndex);
    if (after < 0) return { end: -1, entities: false };
    mark.lastIndex = after + close.length;
  }
}
