import { readDoctype } from './doctype.ts';
import { PartFault } from './fault.ts';
import { nameEnd } from './names.ts';
import type { RunReader } from './runs.ts';
import type { XmlWindow } from './window.ts';

export const CDATA = '<![CDATA[';
export const CDATA_END = ']]>';
const COMMENT = '<!--';
const DOCTYPE = '<!DOCTYPE';

/** Whether a CDATA section begins at a place, as far as can be seen. */
export function startsCdata(text: string, open: number): boolean {
  return text.startsWith(CDATA, open);
}

/**
 * Finds the ends of markup that is no tag: the place after it, or -1 while it is not there. Throws a PartFault where it
 * is not well-formed.
 */
export class Declarations {
  readonly #window: XmlWindow;
  readonly #runs: RunReader;

  constructor(window: XmlWindow, runs: RunReader) {
    this.#window = window;
    this.#runs = runs;
  }

  /** Of a CDATA section. */
  cdata(open: number, inside: boolean): number {
    const end = this.#window.text.indexOf(CDATA_END, open + CDATA.length);
    if (end < 0) return -1;
    if (!inside) throw new PartFault('a CDATA section outside of all elements');
    this.#runs.lawful(open, end);
    return end + CDATA_END.length;
  }

  /** Of a comment, DOCTYPE or processing instruction. */
  end(open: number, inside: boolean): number {
    const { text } = this.#window;
    if (text[open + 1] === '?') return this.#instruction(open, inside);
    if (text.startsWith(COMMENT, open)) return this.#comment(open);
    if (text.startsWith(DOCTYPE, open)) return this.#doctype(open, inside);
    const rest = text.slice(open, open + CDATA.length);
    if (rest.length < CDATA.length && [CDATA, DOCTYPE, COMMENT].some((start) => start.startsWith(rest)))
      return -1;
    throw new PartFault('a <! that begins no comment, CDATA section or DOCTYPE');
  }

  #comment(open: number): number {
    const { text } = this.#window;
    const end = text.indexOf('--', open + COMMENT.length);
    if (end < 0 || end + 2 >= text.length) return -1;
    if (text[end + 2] !== '>') throw new PartFault('-- inside a comment');
    this.#runs.lawful(open, end);
    return end + 3;
  }

  #doctype(open: number, inside: boolean): number {
    if (inside) throw new PartFault('a DOCTYPE inside an element');
    const { end, entities } = readDoctype(this.#window.text, open + DOCTYPE.length);
    if (entities) throw new PartFault('the document declares its own entities', null, 'entities');
    if (end >= 0) this.#runs.lawful(open, end);
    return end;
  }

  /** Blank lines before an XML declaration are let pass, which XML does not allow. */
  #instruction(open: number, inside: boolean): number {
    const { bytes, length, text } = this.#window;
    const end = text.indexOf('?>', open + 2);
    if (end < 0) return -1;
    const target = text.slice(open + 2, nameEnd(bytes, length, open + 2));
    if (target === '') throw new PartFault('a processing instruction without a name');
    this.#runs.lawful(open, end);
    if (target.toLowerCase() === 'xml' && inside) {
      throw new PartFault('an XML declaration inside an element');
    }
    return end + 2;
  }
}
