import { ReferenceFault, withoutReferences } from './entities.ts';
import { PartFault } from './fault.ts';
import { nameEnd, type XmlName, type Names } from './names.ts';
import { AMPERSAND, BEYOND, BREAK, DOUBTFUL, kindOf, type XmlWindow } from './window.ts';

export type XmlAttributes = Readonly<Record<string, string>>;

/** An opening tag. */
export interface XmlTag {
  readonly name: string;
  /** Bytes of the name in UTF-8. */
  readonly nameBytes: Uint8Array;
  readonly attributes: XmlAttributes;
  /** `<a/>` */
  readonly empty: boolean;
}

const NONE: XmlAttributes = Object.freeze({});

/** Reads opening tags of a window. */
export class TagReader {
  readonly #window: XmlWindow;
  readonly #names: Names;
  /** Place up to which the last part of a tag was read. */
  #at = 0;

  constructor(window: XmlWindow, names: Names) {
    this.#window = window;
    this.#names = names;
  }

  /**
   * Reads the tag whose name begins at `from`. Null when the text ends before the tag does; else the tag and the place
   * after its `>`. Throws a PartFault.
   */
  read(from: number): { readonly tag: XmlTag; readonly end: number } | null {
    const { bytes, length } = this.#window;
    const found = this.#name(from);
    if (found === null) {
      if (from < length) throw new PartFault('a < that begins no tag');
      return null;
    }
    const { name, bytes: nameBytes } = found;
    let attributes: Record<string, string> | null = null;
    for (;;) {
      const next = this.#spaceEnd(this.#at);
      if (next >= length) return null;
      const byte = bytes[next];
      if (byte === 0x3e) {
        return { tag: { name, nameBytes, attributes: attributes ?? NONE, empty: false }, end: next + 1 };
      }
      if (byte === 0x2f) {
        if (next + 1 >= length) return null;
        if (bytes[next + 1] !== 0x3e) throw new PartFault(`a / inside the tag <${name}>`);
        return { tag: { name, nameBytes, attributes: attributes ?? NONE, empty: true }, end: next + 2 };
      }
      if (next === this.#at) throw new PartFault(`<${name}> is not followed by a space, / or >`);
      attributes ??= {};
      if (!this.#attribute(next, name, attributes)) return null;
    }
  }

  /** Adds the attribute that begins at `from`; false when the text ends before it does. */
  #attribute(from: number, tag: string, to: Record<string, string>): boolean {
    const { bytes, length, text } = this.#window;
    const name = this.#name(from)?.name;
    if (name === undefined) throw new PartFault(`an attribute of <${tag}> has no name`);
    const equals = this.#spaceEnd(this.#at);
    if (equals >= length) return false;
    if (bytes[equals] !== 0x3d) throw new PartFault(`the attribute ${name} has no value`);
    const open = this.#spaceEnd(equals + 1);
    if (open >= length) return false;
    const quote = bytes[open];
    if (quote !== 0x22 && quote !== 0x27) throw new PartFault(`the value of ${name} is not in quotes`);
    const close = text.indexOf(quote === 0x22 ? '"' : "'", open + 1);
    if (close < 0) return false;
    if (Object.hasOwn(to, name)) throw new PartFault(`duplicate attribute: ${name}`);
    set(to, name, this.#value(open + 1, close, name));
    this.#at = close + 1;
    return true;
  }

  /** The name at `from`; null where none begins. */
  #name(from: number): XmlName | null {
    const { bytes, length } = this.#window;
    this.#at = nameEnd(bytes, length, from);
    return this.#at === from ? null : this.#names.find(bytes, from, this.#at);
  }

  #value(start: number, end: number, name: string): string {
    const { bytes, text } = this.#window;
    let kinds = 0;
    for (let at = start; at < end; at += 1) {
      const byte = bytes[at] ?? 0;
      if (byte === 0x3c) throw new PartFault(`a < in the value of ${name}`);
      kinds |= kindOf(byte);
    }
    if ((kinds & (AMPERSAND | BEYOND | BREAK | DOUBTFUL)) === 0) return text.slice(start, end);
    const unlawful = (kinds & DOUBTFUL) === 0 ? null : this.#window.unlawful(start, end);
    if (unlawful !== null) throw new PartFault(`disallowed character ${unlawful.name}`);
    try {
      return withoutReferences(this.#window.slice(start, end).replace(/[\t\n]/g, ' '));
    } catch (error) {
      throw error instanceof ReferenceFault ? new PartFault(error.message) : error;
    }
  }

  #spaceEnd(from: number): number {
    const { bytes, length } = this.#window;
    let at = from;
    for (; at < length; at += 1) {
      const byte = bytes[at];
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x09) return at;
    }
    return at;
  }
}

function set(attributes: Record<string, string>, name: string, value: string): void {
  if (name !== '__proto__') attributes[name] = value;
  else
    Object.defineProperty(attributes, name, { value, enumerable: true, configurable: true, writable: true });
}
