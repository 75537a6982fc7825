import { SaxesParser } from 'saxes';
import { EngramError, FormatError } from '../../../shared/errors/index.ts';
import { MAX_UNIT_CHARS } from '../types.ts';

/** An element of the document with everything in it; text and child elements in document order. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly (XmlElement | string)[];
  /** Line of the end of the opening tag, from 1. */
  readonly line: number;
}

export interface ElementsOptions {
  readonly file: string;
  /** Elements to hand out whole. Everything around them is passed over. */
  readonly wanted: ReadonlySet<string>;
  /** Elements inside wanted ones that nobody reads: left out, with all they hold. */
  readonly skipped: ReadonlySet<string>;
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
): AsyncGenerator<XmlElement> {
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
  private readonly parser = new SaxesParser();
  private ready: XmlElement[] = [];
  /** Open elements of the wanted one being read; empty outside. */
  private readonly stack: OpenElement[] = [];
  private depth = 0;
  /** Depth of the skipped element being passed over; 0 = none. */
  private skippedAt = 0;
  private charsRead = 0;
  /** Characters read when the current element (or, outside one, the current token) began. */
  private unitStart = 0;
  /** Elements and texts held for the current element. */
  private nodes = 0;

  constructor(options: ElementsOptions) {
    this.options = options;
    // No handler for single attributes: with it V8 keeps the parser in its slow form (a sixth of the speed).
    this.parser.on('opentag', (tag) => this.open(tag.name, tag.attributes));
    this.parser.on('closetag', () => this.closeElement());
    this.parser.on('text', (text) => this.text(text));
    this.parser.on('cdata', (text) => this.text(text));
    this.parser.on('doctype', (doctype) => this.doctype(doctype));
    this.parser.on('comment', () => this.tokenEnds());
    this.parser.on('processinginstruction', () => this.tokenEnds());
  }

  /** Parses a chunk; the fault that stops the reading, or null. */
  write(chunk: string): FormatError | null {
    try {
      this.parser.write(chunk);
    } catch (error) {
      return this.fault(error, false);
    }
    this.charsRead += chunk.length;
    const size = this.charsRead - this.unitStart + this.nodes * NODE_COST;
    return size > MAX_UNIT_CHARS ? this.tooLarge() : null;
  }

  close(): FormatError | null {
    const { line } = this.parser;
    try {
      this.parser.close();
      return null;
    } catch (error) {
      return this.fault(error, true, line);
    }
  }

  take(): XmlElement[] {
    const taken = this.ready;
    this.ready = [];
    return taken;
  }

  private open(name: string, attributes: Record<string, string>): void {
    this.depth += 1;
    if (this.depth === 1 && !this.options.roots.has(name)) throw this.notPubMed(name);
    if (this.depth > MAX_DEPTH) throw this.tooDeep(name);
    this.tokenEnds();
    if (this.skippedAt > 0) return;
    const parent = this.stack[this.stack.length - 1];
    if (parent === undefined) {
      if (!this.options.wanted.has(name)) return;
    } else if (this.options.skipped.has(name)) {
      this.skippedAt = this.depth;
      return;
    }
    const element: OpenElement = { name, attributes, children: [], line: this.parser.line };
    parent?.children.push(element);
    this.stack.push(element);
    this.nodes += 1;
  }

  private closeElement(): void {
    const at = this.depth;
    this.depth -= 1;
    if (this.skippedAt > 0) {
      if (at === this.skippedAt) this.skippedAt = 0;
      return;
    }
    const element = this.stack.pop();
    if (element !== undefined && this.stack.length === 0) this.ready.push(element);
    this.tokenEnds();
  }

  private text(text: string): void {
    this.tokenEnds();
    const parent = this.stack[this.stack.length - 1];
    if (this.skippedAt > 0 || parent === undefined) return;
    parent.children.push(text);
    this.nodes += 1;
  }

  private doctype(doctype: string): void {
    this.tokenEnds();
    if (!doctype.includes('<!ENTITY')) return;
    const { file } = this.options;
    throw new FormatError(
      'IMPORT_XML_ENTITIES',
      `${file}, line ${this.parser.line}: the document declares its own entities, which PubMed never does and Engram does not expand.`,
      'Export the articles again from PubMed.',
    );
  }

  /** A token has ended and nothing is being collected: what follows is counted from here. */
  private tokenEnds(): void {
    if (this.stack.length > 0) return;
    this.unitStart = this.charsRead;
    this.nodes = 0;
  }

  private fault(error: unknown, atEnd: boolean, line = this.parser.line): FormatError {
    if (error instanceof FormatError) return error;
    if (error instanceof EngramError || !(error instanceof Error)) throw error;
    const { file } = this.options;
    const what = error.message.replace(/^\d+:\d+: /, '').replace(/\.$/, '');
    return atEnd
      ? new FormatError(
          'IMPORT_XML_TRUNCATED',
          `${file} ends in the middle, at line ${line} (${what}).`,
          'Download or copy the file again; the articles before the cut are kept.',
          error,
        )
      : new FormatError(
          'IMPORT_XML_MALFORMED',
          `${file}, line ${line}: this is not well-formed XML (${what}).`,
          'Download or copy the file again; the articles before the fault are kept.',
          error,
        );
  }

  private tooLarge(): FormatError {
    const limit = MAX_UNIT_CHARS / 1024 / 1024;
    return new FormatError(
      'IMPORT_XML_TOO_LARGE',
      `${this.options.file}, line ${this.parser.line}: one article, tag or text is longer than ${limit} million characters.`,
      'Check that the file is an export from PubMed.',
    );
  }

  private tooDeep(name: string): FormatError {
    return new FormatError(
      'IMPORT_XML_TOO_LARGE',
      `${this.options.file}, line ${this.parser.line}: <${name}> is nested more than ${MAX_DEPTH} elements deep.`,
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
