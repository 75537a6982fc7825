import { FormatError } from '../../../shared/errors/index.ts';
import { MAX_UNIT_CHARS } from '../types.ts';
import { PASSED_DEPTH } from '../xml/passed.ts';
import { XmlFault } from '../xml/fault.ts';
import { XmlScanner } from '../xml/scanner.ts';
import type { XmlAttributes } from '../xml/tag.ts';

/** An element of the document with everything in it; text and child elements in document order. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: XmlAttributes;
  readonly children: readonly (XmlElement | string)[];
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

interface OpenElement extends XmlElement {
  readonly children: (XmlElement | string)[];
}

/**
 * Streams the wanted elements of an XML document, each as a small tree; memory holds one at a time.
 * No DTD is loaded or validated, nothing external is fetched, and no entity beyond the five of XML and
 * character references is known: a document that declares its own is refused.
 *
 * Gives every element that is complete before a fault, then throws a FormatError: IMPORT_XML_TRUNCATED,
 * IMPORT_XML_MALFORMED, IMPORT_XML_NOT_PUBMED, IMPORT_XML_ENTITIES or IMPORT_XML_TOO_LARGE.
 */
export async function* xmlElements(
  source: AsyncIterable<string>,
  options: ElementsOptions,
): AsyncGenerator<XmlUnit> {
  const reader = new ElementReader(options);
  for await (const chunk of source) {
    const fault = reader.write(chunk);
    yield* reader.take();
    if (fault !== null) throw fault;
  }
  const fault = reader.close();
  yield* reader.take();
  if (fault !== null) throw fault;
}

class ElementReader {
  private readonly options: ElementsOptions;
  private readonly scanner: XmlScanner;
  private ready: XmlUnit[] = [];
  /** Open elements of the wanted one being read; empty outside. */
  private readonly stack: OpenElement[] = [];
  private depth = 0;
  /** Depth of the skipped element being passed over; 0 = none. */
  private skippedAt = 0;
  /** Where the wanted element being read begins: character and line. */
  private unitStart = 0;
  private unitLine = 1;
  /** Elements and texts held for it. */
  private nodes = 0;

  constructor(options: ElementsOptions) {
    this.options = options;
    this.scanner = new XmlScanner({
      open: (name, attributes) => this.open(name, attributes),
      close: () => this.closeElement(),
      text: (text) => this.text(text),
    });
  }

  /** Parses a chunk; the fault that stops the reading, or null. */
  write(chunk: string): FormatError | null {
    try {
      this.scanner.write(chunk);
      if (this.size() <= MAX_UNIT_CHARS) return null;
      this.scanner.settle();
    } catch (error) {
      return this.fault(error);
    }
    return this.size() > MAX_UNIT_CHARS ? this.tooLarge() : null;
  }

  /** What the open element or tag takes, in characters. */
  private size(): number {
    const from = this.stack.length > 0 ? this.unitStart : this.scanner.position;
    return this.scanner.received - from + this.nodes * NODE_COST;
  }

  close(): FormatError | null {
    try {
      this.scanner.close();
      return null;
    } catch (error) {
      return this.fault(error);
    }
  }

  take(): XmlUnit[] {
    const taken = this.ready;
    this.ready = [];
    return taken;
  }

  private open(name: string, attributes: XmlAttributes): void {
    this.depth += 1;
    if (this.depth === 1 && !this.options.roots.has(name)) throw this.notPubMed(name);
    if (this.depth > MAX_DEPTH) throw this.tooDeep(name);
    if (this.skippedAt > 0) {
      this.scanner.passing = this.depth + PASSED_DEPTH <= MAX_DEPTH;
      return;
    }
    const parent = this.stack.at(-1);
    if (parent === undefined) {
      if (!this.options.wanted.has(name)) return;
      this.unitStart = this.scanner.position;
      this.unitLine = this.scanner.line;
      this.nodes = 0;
    } else if (this.options.skipped.has(name)) {
      this.skippedAt = this.depth;
      this.scanner.collecting = false;
      this.scanner.passing = this.depth + PASSED_DEPTH <= MAX_DEPTH;
      return;
    }
    const element: OpenElement = { name, attributes, children: [] };
    parent?.children.push(element);
    this.stack.push(element);
    this.scanner.collecting = true;
    this.nodes += 1;
  }

  private closeElement(): void {
    const at = this.depth;
    this.depth -= 1;
    if (this.skippedAt > 0) {
      if (at !== this.skippedAt) return;
      this.skippedAt = 0;
      this.scanner.passing = false;
      this.scanner.collecting = true;
      return;
    }
    const element = this.stack.pop();
    if (element === undefined || this.stack.length > 0) return;
    this.ready.push({ element, line: this.unitLine });
    this.scanner.collecting = false;
    this.nodes = 0;
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
      `${this.options.file}, line ${this.scanner.line}: one article, tag or text is longer than ${limit} million characters.`,
      'Check that the file is an export from PubMed.',
    );
  }

  private tooDeep(name: string): FormatError {
    return new FormatError(
      'IMPORT_XML_TOO_LARGE',
      `${this.options.file}, line ${this.scanner.line}: <${name}> is nested more than ${MAX_DEPTH} elements deep.`,
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
