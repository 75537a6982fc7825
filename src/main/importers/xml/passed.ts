const TEXT = String.raw`[^<&]*(?:&(?:amp|lt|gt|quot|apos);[^<&]*)*`;

/** An element around `inside`, with at most one attribute; `group` is the number of the capture of its name. */
function element(group: number, inside: string): string {
  const attribute = String.raw`(?: [A-Za-z]+="[^"<&]*")?`;
  return String.raw`<([A-Za-z][\w.-]*)${attribute}>${inside}</` + `\\${String(group)}>`;
}

const leaf = (group: number): string => element(group, TEXT);
const list = (group: number): string => element(group, `\\s*(?:${leaf(group + 1)}\\s*)+`);
const listOfLists = element(1, `\\s*(?:(?:${leaf(2)}|${list(3)})\\s*)+`);

/** How deep the elements nest that {@link passedEnd} passes. */
export const PASSED_DEPTH = 3;

/** Whole elements of the plainest kind, as lists of references are made of. Where it fails, it has tried each place once a level. */
const PASSED = new RegExp(String.raw`\s*(?:(?:${listOfLists}|${leaf(5)})\s*)+`, 'y');

/**
 * The place after the well-formed plain elements that begin at `from`: names in ASCII, one attribute, the references
 * of XML by name, nesting up to PASSED_DEPTH. `from` where there are none; what else follows is for who reads tag by
 * tag. `]]>` in a text is not looked for.
 */
export function passedEnd(text: string, from: number): number {
  PASSED.lastIndex = from;
  return PASSED.test(text) ? PASSED.lastIndex : from;
}
