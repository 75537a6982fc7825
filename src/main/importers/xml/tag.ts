import { ReferenceFault, withoutReferences } from './entities.ts';

export type XmlAttributes = Readonly<Record<string, string>>;

/** An opening tag. */
export interface XmlTag {
  readonly name: string;
  readonly attributes: XmlAttributes;
  /** `<a/>` */
  readonly empty: boolean;
}

/** A tag that is not well-formed; the message says how. */
export class TagFault extends Error {}

const NAME_START = String.raw`:A-Z_a-z\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u02FF\u0370-\u037D\u037F-\u1FFF\u200C\u200D\u2070-\u218F\u2C00-\u2FEF\u3001-\uD7FF\uF900-\uFDCF\uFDF0-\uFFFD\u{10000}-\u{EFFFF}`;
// The ranges of production 4a, combining marks among them, as XML lists them.
const NAME = new RegExp(
  // eslint-disable-next-line no-misleading-character-class
  String.raw`[${NAME_START}][${NAME_START}\-.0-9\u00B7\u0300-\u036F\u203F\u2040]*`,
  'uy',
);
const NONE: XmlAttributes = Object.freeze({});

/**
 * Reads the opening tag whose name begins at `from`. Null when the text ends before the tag does; else the
 * tag and the place after its `>`. Throws a TagFault.
 */
export function readTag(text: string, from: number): { readonly tag: XmlTag; readonly end: number } | null {
  let at = nameEnd(text, from);
  if (at === from && at < text.length) throw new TagFault('a < that begins no tag');
  const name = text.slice(from, at);
  let attributes: Record<string, string> | null = null;
  for (;;) {
    const next = spaceEnd(text, at);
    if (next >= text.length) return null;
    if (text[next] === '>')
      return { tag: { name, attributes: attributes ?? NONE, empty: false }, end: next + 1 };
    if (text[next] === '/') {
      if (next + 1 >= text.length) return null;
      if (text[next + 1] !== '>') throw new TagFault(`a / inside the tag <${name}>`);
      return { tag: { name, attributes: attributes ?? NONE, empty: true }, end: next + 2 };
    }
    if (next === at) throw new TagFault(`<${name}> is not followed by a space, / or >`);
    const attribute = readAttribute(text, next, name);
    if (attribute === null) return null;
    attributes ??= {};
    if (Object.hasOwn(attributes, attribute.name)) {
      throw new TagFault(`duplicate attribute: ${attribute.name}`);
    }
    set(attributes, attribute.name, attribute.value);
    at = attribute.end;
  }
}

function set(attributes: Record<string, string>, name: string, value: string): void {
  if (name !== '__proto__') attributes[name] = value;
  else
    Object.defineProperty(attributes, name, { value, enumerable: true, configurable: true, writable: true });
}

function readAttribute(
  text: string,
  from: number,
  tag: string,
): { readonly name: string; readonly value: string; readonly end: number } | null {
  const after = nameEnd(text, from);
  if (after === from) throw new TagFault(`an attribute of <${tag}> has no name`);
  const name = text.slice(from, after);
  const equals = spaceEnd(text, after);
  if (equals >= text.length) return null;
  if (text[equals] !== '=') throw new TagFault(`the attribute ${name} has no value`);
  const open = spaceEnd(text, equals + 1);
  if (open >= text.length) return null;
  const quote = text[open];
  if (quote !== '"' && quote !== "'") throw new TagFault(`the value of ${name} is not in quotes`);
  const close = text.indexOf(quote, open + 1);
  if (close < 0) return null;
  const raw = text.slice(open + 1, close);
  if (raw.includes('<')) throw new TagFault(`a < in the value of ${name}`);
  return { name, value: valueOf(raw), end: close + 1 };
}

function valueOf(raw: string): string {
  try {
    const value = raw.replace(/[\t\n]/g, ' ');
    return value.includes('&') ? withoutReferences(value) : value;
  } catch (error) {
    if (error instanceof ReferenceFault) throw new TagFault(error.message);
    throw error;
  }
}

/** The place after the name that begins at `from`; `from` itself where none does. */
export function nameEnd(text: string, from: number): number {
  const first = text.charCodeAt(from);
  if (!isAsciiNameStart(first) && !(first > 0x7f)) return from;
  for (let at = from; ; at += 1) {
    const code = text.charCodeAt(at);
    if (isAsciiNameStart(code) || (code >= 0x30 && code <= 0x39) || code === 0x2d || code === 0x2e) continue;
    return code > 0x7f ? unicodeNameEnd(text, from) : at;
  }
}

/** `:`, `_` and letters; false at the end of the text. */
function isAsciiNameStart(code: number): boolean {
  const lower = code | 0x20;
  return (lower >= 0x61 && lower <= 0x7a) || code === 0x3a || code === 0x5f;
}

function unicodeNameEnd(text: string, from: number): number {
  NAME.lastIndex = from;
  return NAME.test(text) ? NAME.lastIndex : from;
}

function spaceEnd(text: string, from: number): number {
  let at = from;
  for (; ; at += 1) {
    const code = text.charCodeAt(at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x09) return at;
  }
}
