import { ReferenceFault, withoutReferences } from './entities.ts';
import { PartFault } from './fault.ts';
import { isPlain } from './plain.ts';
import { AMPERSAND, BEYOND, BRACKET, BREAK, DOUBTFUL, ORDINARY, SPACE, type XmlWindow } from './window.ts';

/** Makes strings of the runs of text in a window. */
export class RunReader {
  /** Whether to collapse white space in the last value would change nothing. */
  plain = false;
  readonly #window: XmlWindow;

  constructor(window: XmlWindow) {
    this.#window = window;
  }

  /** Whether the run that was last looked at is all white space. */
  get blank(): boolean {
    return (this.#window.kinds & ~(SPACE | BREAK)) === 0;
  }

  /** The run that was last looked at, references replaced; one space where it is blank. Throws a PartFault. */
  value(start: number, end: number): string {
    const { bytes, kinds, spaced, text } = this.#window;
    if ((kinds & ~(ORDINARY | SPACE)) !== 0 || (kinds & ORDINARY) === 0) return this.#unusual(start, end);
    this.plain = !spaced && bytes[start] !== 0x20 && bytes[end - 1] !== 0x20;
    return text.slice(start, end);
  }

  /** Throws a PartFault where something between two places is no character of XML. */
  lawful(start: number, end: number): void {
    const found = this.#window.unlawful(start, end);
    if (found !== null) throw new PartFault(`disallowed character ${found.name}`, found.place);
  }

  #unusual(start: number, end: number): string {
    const { kinds, text } = this.#window;
    this.plain = false;
    if (this.blank) return ' ';
    if ((kinds & DOUBTFUL) !== 0) this.lawful(start, end);
    const sectionEnd = (kinds & BRACKET) === 0 ? -1 : text.slice(start, end).indexOf(']]>');
    if (sectionEnd >= 0) throw new PartFault(']]> in a text', start + sectionEnd);
    const raw = (kinds & BEYOND) === 0 ? text.slice(start, end) : this.#window.slice(start, end);
    const value = (kinds & AMPERSAND) === 0 ? raw : resolved(raw, start);
    this.plain = (kinds & BREAK) === 0 && isPlain(value);
    return value;
  }
}

function resolved(raw: string, start: number): string {
  try {
    return withoutReferences(raw);
  } catch (error) {
    if (!(error instanceof ReferenceFault)) throw error;
    throw new PartFault(error.message, start + Buffer.byteLength(raw.slice(0, error.place)));
  }
}
