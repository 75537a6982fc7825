import { CDATA, CDATA_END, Declarations, startsCdata } from './declarations.ts';
import { PartFault, XmlFault } from './fault.ts';
import { UnixLineEnds } from './line-ends.ts';
import { Names } from './names.ts';
import { RunReader } from './runs.ts';
import { TagCache } from './tag-cache.ts';
import { TagReader, type XmlAttributes, type XmlTag } from './tag.ts';
import { XmlWindow } from './window.ts';

/** What a scanner tells of a document, in document order. */
export interface XmlEvents {
  open(name: string, attributes: XmlAttributes): void;
  close(): void;
  /** Text without references and CDATA marks; only while `collecting`. Blanks between tags come as one space. */
  text(text: string): void;
  /**
   * An element that holds one text at most, in place of `open`, `text` and `close`; also while not `collecting`.
   * `plain`: there is a text, and to collapse its white space would change nothing.
   */
  leaf(name: string, attributes: XmlAttributes, text: string, plain: boolean): void;
}

/** Bytes looked at together: strings of more are held where garbage is collected seldom. */
const PART = 16 * 1024;
/** So many bytes without an end may be no text at all. */
const MUCH = 64 * 1024;
/** So many more are looked at, however many are waiting for their end. */
const MOST_WAITING = 1024 * 1024;
const EXCLAMATION = 0x21;
const QUESTION = 0x3f;
const SLASH = 0x2f;
const GREATER_THAN = 0x3e;

/**
 * Reads XML 1.0 in UTF-8, chunk by chunk, and checks that it is well-formed. Runs of text and tags are told by their
 * bytes; strings are made of what somebody collects, by cutting.
 *
 * No DTD is read; the only references known are the five of XML and characters by number. Several documents
 * may follow one another, as in answers of E-utilities saved to one file. Namespaces are not resolved.
 */
export class XmlScanner {
  /** Whether texts beside leaves are wanted: set by who listens. */
  collecting = false;
  readonly #events: XmlEvents;
  readonly #maxDepth: number;
  readonly #window = new XmlWindow();
  readonly #tags = new TagCache();
  readonly #reader = new TagReader(this.#window, new Names());
  readonly #runs = new RunReader(this.#window);
  readonly #declarations = new Declarations(this.#window, this.#runs);
  readonly #lineEnds = new UnixLineEnds();
  readonly #stack: XmlTag[] = [];
  /** How deep the element is of which nothing is told; 0 = none. */
  #skipped = 0;
  /** Place in the window up to which the document is read. */
  #at = 0;
  #line = 1;
  #lineAt = 0;
  #rootSeen = false;
  #paused = false;

  constructor(events: XmlEvents, maxDepth: number) {
    this.#events = events;
    this.#maxDepth = maxDepth;
  }

  /** Bytes given so far. */
  get received(): number {
    return this.#window.received;
  }

  /** Bytes of them that are read; the rest waits for the end of its tag or text. */
  get position(): number {
    return this.#window.before + this.#at;
  }

  /** Line, from 1, of the place up to which the document is read. */
  get line(): number {
    this.#countLines();
    return this.#line;
  }

  /** Tells nothing of what is in the element that is just being opened, but its end. */
  skip(): void {
    this.#skipped = this.#stack.length;
  }

  /** Reads no further than the end of what is being told, until `go`. */
  pause(): void {
    this.#paused = true;
  }

  /** Reads whole characters of UTF-8 as far as they go, or keeps them where a long tag or text is open. Throws an XmlFault. */
  write(chunk: Uint8Array): void {
    this.#window.add(this.#lineEnds.of(chunk));
    this.go();
  }

  /** Reads on after a pause. Throws an XmlFault. */
  go(): void {
    if (this.#paused) this.#scan();
    // What waits for its end is looked through again when it is a quarter more than it was.
    while (!this.#paused && this.#window.waiting > Math.min(this.#unread / 4, MOST_WAITING)) this.#more();
  }

  /** Reads all that came, unless it pauses. Throws an XmlFault. */
  settle(): void {
    while (!this.#paused && this.#window.waiting > 0) this.#more();
  }

  get #unread(): number {
    return this.#window.length - this.#at;
  }

  #more(): void {
    this.#countLines();
    this.#lineAt -= this.#at;
    const from = this.#at;
    const more = Math.max(PART, this.#unread / 4);
    this.#at = 0;
    this.#window.show(from, more);
    this.#scan();
  }

  /** The document ends here. Throws an XmlFault where it should not. */
  close(): void {
    this.settle();
    const { length, text } = this.#window;
    const pending = text.slice(this.#at);
    const open = this.#stack.at(-1);
    const cut =
      open !== undefined
        ? `<${open.name}> is not closed`
        : pending.trim() !== ''
          ? 'text or a tag without an end'
          : this.#rootSeen
            ? null
            : 'it has no element';
    if (cut === null) return;
    try {
      this.#runs.lawful(this.#at, length);
    } catch (error) {
      throw this.#placed(error);
    }
    this.#at = length;
    throw new XmlFault('truncated', this.line, cut);
  }

  #countLines(): void {
    const { text } = this.#window;
    for (;;) {
      const next = text.indexOf('\n', this.#lineAt);
      if (next < 0 || next >= this.#at) break;
      this.#line += 1;
      this.#lineAt = next + 1;
    }
    this.#lineAt = Math.max(this.#lineAt, this.#at);
  }

  #scan(): void {
    try {
      this.#paused = false;
      if (this.#read() && this.#unread > MUCH) this.#runs.lawful(this.#at, this.#window.length);
    } catch (error) {
      throw this.#placed(error);
    }
  }

  /** Reads up to a pause, or until more is needed: whether it is. */
  #read(): boolean {
    const window = this.#window;
    while (!this.#paused) {
      const open = window.runEnd(this.#at);
      if (open < 0) return true;
      if (open > this.#at) this.#characters(this.#at, open);
      this.#at = open;
      const end = this.#markup(open);
      if (end < 0) return true;
      this.#at = end;
    }
    return false;
  }

  /** The markup that begins at `open`; the place up to which is read then, or -1 while its end is not there yet. */
  #markup(open: number): number {
    const { bytes, length } = this.#window;
    if (open + 1 >= length) return -1;
    const next = bytes[open + 1];
    if (next === SLASH) return this.#closingTag(open);
    return next === EXCLAMATION || next === QUESTION ? this.#declaration(open) : this.#openingTag(open);
  }

  #openingTag(open: number): number {
    const { bytes, length } = this.#window;
    const known = this.#tags.find(bytes, length, open);
    if (known !== null) return this.#element(known.tag, open + known.bytes.length);
    const { close } = this.#tags;
    // A tag is read once it is there, not anew with every chunk of it.
    if (close < 0) return -1;
    const read = this.#reader.read(open + 1);
    if (read === null) return -1;
    if (read.end === close + 1) this.#tags.keep(bytes, open, read.tag);
    return this.#element(read.tag, read.end);
  }

  /** An element whose opening tag ends at `end`; the place up to which is read then: after a leaf, or its first text. */
  #element(tag: XmlTag, end: number): number {
    const { name, attributes } = tag;
    this.#rootSeen = true;
    if (this.#stack.length >= this.#maxDepth) throw this.#tooDeep(name);
    if (tag.empty) {
      if (this.#skipped === 0) this.#events.leaf(name, attributes, '', false);
      return end;
    }
    const next = this.#window.runEnd(end);
    if (next >= 0 && this.#closes(tag, next)) {
      const value = next === end ? '' : this.#runs.value(end, next);
      if (this.#skipped === 0) this.#events.leaf(name, attributes, value, next > end && this.#runs.plain);
      return next + tag.nameBytes.length + 3;
    }
    this.#stack.push(tag);
    if (this.#skipped === 0) this.#events.open(name, attributes);
    if (next < 0) return end;
    if (next > end) this.#characters(end, next);
    return next;
  }

  /** Whether `</name>` of a tag stands at `open`. */
  #closes({ nameBytes }: XmlTag, open: number): boolean {
    const { bytes, length } = this.#window;
    const size = nameBytes.length;
    if (open + size + 2 >= length || bytes[open + 1] !== SLASH) return false;
    if (bytes[open + size + 2] !== GREATER_THAN) return false;
    for (let i = 0; i < size; i += 1) if (bytes[open + 2 + i] !== nameBytes[i]) return false;
    return true;
  }

  #closingTag(open: number): number {
    const tag = this.#stack.at(-1);
    let end = open + 3 + (tag?.nameBytes.length ?? 0);
    if (tag === undefined || !this.#closes(tag, open)) {
      end = this.#window.text.indexOf('>', open + 2) + 1;
      if (end === 0) return -1;
      const found = this.#window.slice(open + 2, end - 1);
      if (tag === undefined || found.replace(/[ \t\n]+$/, '') !== tag.name) {
        const expected = tag === undefined ? 'where nothing is open' : `where </${tag.name}> should be`;
        throw this.#fault(`</${found.slice(0, 60)}> ${expected}`);
      }
    }
    this.#stack.pop();
    if (this.#skipped > this.#stack.length) this.#skipped = 0;
    if (this.#skipped === 0) this.#events.close();
    return end;
  }

  /** Comment, CDATA section, DOCTYPE or processing instruction. */
  #declaration(open: number): number {
    const inside = this.#stack.length > 0;
    if (startsCdata(this.#window.text, open)) {
      const end = this.#declarations.cdata(open, inside);
      if (end >= 0 && this.collecting && this.#skipped === 0) {
        this.#events.text(this.#window.slice(open + CDATA.length, end - CDATA_END.length));
      }
      return end;
    }
    return this.#declarations.end(open, inside);
  }

  /** The run of text that was last looked at, from `start` to `end`. */
  #characters(start: number, end: number): void {
    if (this.#stack.length > 0) {
      const value = this.#runs.value(start, end);
      if (this.collecting && this.#skipped === 0) this.#events.text(value);
    } else if (!this.#runs.blank) {
      this.#runs.lawful(start, end);
      throw this.#fault('text outside of all elements');
    }
  }

  #placed(error: unknown): unknown {
    if (!(error instanceof PartFault)) return error;
    this.#at = error.place ?? this.#at;
    return new XmlFault(error.kind, this.line, error.message);
  }

  #fault(message: string): XmlFault {
    return new XmlFault('malformed', this.line, message);
  }

  #tooDeep(name: string): XmlFault {
    return new XmlFault('deep', this.line, `<${name}> is nested more than ${this.#maxDepth} elements deep`);
  }
}
