import { FormatError } from '../../../shared/errors/index.ts';
import { MAX_UNIT_CHARS } from '../types.ts';
import { XmlFault } from '../xml/fault.ts';
import { XmlScanner } from '../xml/scanner.ts';
import type { XmlAttributes } from '../xml/tag.ts';

/** An element of the document with everything in it; text and child elements in document order. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: XmlAttributes;
  readonly children: readonly (XmlElement | string)[];
  /** In place of children: its only text, where the white space in it needs no collapsing. */
  readonly plain?: string | undefined;
}

/** A wanted element, with the line on which it begins, from 1. */
export interface XmlUnit {
  readonly element: XmlElement;
  readonly line: number;
}

export interface ElementsOptions {
  readonly file: string;
  /** Elements to hand out whole. Everything around them is passed over. */
  readonly wanted: ReadonlySet<string>;
  /** Elements inside wanted ones that nobody reads: left out, with all they hold. */
  readonly skipped: ReadonlySet<string>;
  /** Elements that hold elements only: blanks between those are no text. */
  readonly structural: ReadonlySet<string>;
  /** Root elements that this reader takes. */
  readonly roots: ReadonlySet<string>;
}

/** PubMed nests about 15 deep. */
const MAX_DEPTH = 256;
/** What an element or text counts as beside its characters, so that many empty ones are not free. */
const NODE_COST = 16;

const NO_CHILDREN: readonly never[] = Object.freeze([]);

interface OpenElement extends XmlElement {
  readonly children: (XmlElement | string)[];
}

/**
 * Streams the wanted elements of an XML document (whole characters of UTF-8), each as a small tree; memory holds one at a time.
 * No DTD is loaded or validated, nothing external is fetched, and no entity beyond the five of XML and
 * character references is known: a document that declares its own is refused.
 *
 * Gives every element that is complete before a fault, then throws a FormatError: IMPORT_XML_TRUNCATED,
 * IMPORT_XML_MALFORMED, IMPORT_XML_NOT_PUBMED, IMPORT_XML_ENTITIES or IMPORT_XML_TOO_LARGE.
 */
export async function* xmlElements(
  source: AsyncIterable<Uint8Array>,
  options: ElementsOptions,
): AsyncGenerator<XmlUnit> {
  const reader = new ElementReader(options);
  for await (const chunk of source) {
    reader.write(chunk);
    for (let unit = reader.next(); unit !== null; unit = reader.next()) yield unit;
  }
  reader.settle();
  for (let unit = reader.next(); unit !== null; unit = reader.next()) yield unit;
  reader.close();
}

class ElementReader {
  private readonly options: ElementsOptions;
  private readonly scanner: XmlScanner;
  private ready: XmlUnit | null = null;
  /** Open elements of the wanted one being read; empty outside. */
  private readonly stack: OpenElement[] = [];
  /** Open elements around the wanted one. */
  private around = 0;
  /** Whether an element inside the wanted one is being passed over. */
  private skipping = false;
  /** Where the wanted element being read begins: byte and line. */
  private unitStart = 0;
  private unitLine = 1;
  /** Elements and texts held for it. */
  private nodes = 0;

  constructor(options: ElementsOptions) {
    this.options = options;
    this.scanner = new XmlScanner(
      {
        open: (name, attributes) => this.open(name, attributes),
        close: () => this.closeElement(),
        text: (text) => this.text(text),
        leaf: (name, attributes, text, plain) => this.leaf(name, attributes, text, plain),
      },
      MAX_DEPTH,
    );
  }

  /** Takes a chunk. Throws a FormatError. */
  write(chunk: Uint8Array): void {
    this.read(() => this.scanner.write(chunk));
  }

  /** Reads what waits for more. Throws a FormatError. */
  settle(): void {
    this.read(() => this.scanner.settle());
  }

  /** The next element of what was written; null when more is needed. Throws a FormatError. */
  next(): XmlUnit | null {
    const unit = this.take() ?? this.goOn();
    if (unit !== null || this.size() <= MAX_UNIT_CHARS) return unit;
    this.settle();
    const last = this.take();
    if (last === null && this.size() > MAX_UNIT_CHARS) throw this.tooLarge();
    return last;
  }

  private goOn(): XmlUnit | null {
    this.read(() => this.scanner.go());
    return this.take();
  }

  private take(): XmlUnit | null {
    const unit = this.ready;
    this.ready = null;
    return unit;
  }

  /** The document ends here. Throws a FormatError where it should not. */
  close(): void {
    this.read(() => this.scanner.close());
  }

  private read(step: () => void): void {
    try {
      step();
    } catch (error) {
      throw this.fault(error);
    }
  }

  /** What the open element or tag takes, in bytes. */
  private size(): number {
    const from = this.stack.length > 0 ? this.unitStart : this.scanner.position;
    return this.scanner.received - from + this.nodes * NODE_COST;
  }

  private open(name: string, attributes: XmlAttributes): void {
    const parent = this.stack.at(-1);
    if (parent === undefined) {
      if (!this.wanted(name)) {
        this.around += 1;
        return;
      }
    } else if (this.options.skipped.has(name)) {
      this.skipping = true;
      this.scanner.skip();
      return;
    }
    const element: OpenElement = { name, attributes, children: [], plain: undefined };
    parent?.children.push(element);
    this.stack.push(element);
    this.nodes += 1;
  }

  /** Whether an element outside of all wanted ones is one, and begins it. */
  private wanted(name: string): boolean {
    if (this.around === 0 && !this.options.roots.has(name)) throw this.notPubMed(name);
    if (!this.options.wanted.has(name)) return false;
    this.unitStart = this.scanner.position;
    this.unitLine = this.scanner.line;
    this.nodes = 0;
    this.scanner.collecting = true;
    return true;
  }

  private closeElement(): void {
    if (this.skipping) this.skipping = false;
    else if (this.stack.length === 0) this.around -= 1;
    else {
      const element = this.stack.pop();
      if (element === undefined || this.stack.length > 0) return;
      this.ready = { element, line: this.unitLine };
      this.scanner.pause();
      this.scanner.collecting = false;
      this.nodes = 0;
    }
  }

  private leaf(name: string, attributes: XmlAttributes, text: string, plain: boolean): void {
    const parent = this.stack.at(-1);
    if (parent === undefined) {
      this.open(name, attributes);
      if (text !== '') this.text(text);
      this.closeElement();
    } else if (!this.options.skipped.has(name)) {
      const bare = plain || text === '' || (text === ' ' && this.options.structural.has(name));
      const children = bare ? NO_CHILDREN : [text];
      parent.children.push({ name, attributes, children, plain: plain ? text : undefined });
      this.nodes += 2;
    }
  }

  private text(text: string): void {
    const parent = this.stack.at(-1);
    if (parent === undefined || (text === ' ' && this.options.structural.has(parent.name))) return;
    parent.children.push(text);
    this.nodes += 1;
  }

  private fault(error: unknown): FormatError {
    if (error instanceof FormatError) return error;
    if (!(error instanceof XmlFault)) throw error;
    const { file } = this.options;
    const { line, message } = error;
    const again = 'Download or copy the file again';
    switch (error.kind) {
      case 'entities':
        return new FormatError(
          'IMPORT_XML_ENTITIES',
          `${file}, line ${line}: the document declares its own entities, which PubMed never does and Engram does not expand.`,
          'Export the articles again from PubMed.',
        );
      case 'truncated':
        return new FormatError(
          'IMPORT_XML_TRUNCATED',
          `${file} ends in the middle, at line ${line} (${message}).`,
          `${again}; the articles before the cut are kept.`,
          error,
        );
      case 'deep':
        return new FormatError(
          'IMPORT_XML_TOO_LARGE',
          `${file}, line ${line}: ${message}.`,
          'Check that the file is an export from PubMed.',
        );
      case 'malformed':
        return new FormatError(
          'IMPORT_XML_MALFORMED',
          `${file}, line ${line}: this is not well-formed XML (${message}).`,
          `${again}; the articles before the fault are kept.`,
          error,
        );
    }
  }

  private tooLarge(): FormatError {
    const limit = MAX_UNIT_CHARS / 1024 / 1024;
    return new FormatError(
      'IMPORT_XML_TOO_LARGE',
      `${this.options.file}, line ${this.scanner.line}: one article, tag or text is longer than ${limit} million bytes.`,
      'Check that the file is an export from PubMed.',
    );
  }

  private notPubMed(root: string): FormatError {
    return new FormatError(
      'IMPORT_XML_NOT_PUBMED',
      `${this.options.file} is XML, but its root is <${root}>, not a set of PubMed articles.`,
      'Save the search from PubMed as XML (PubmedArticleSet), or import a CSV with an Abstract column.',
    );
  }
}
