import { ReferenceFault, withoutReferences } from './entities.ts';
import { readDoctype } from './doctype.ts';
import { XmlFault } from './fault.ts';
import { UnixLineEnds } from './line-ends.ts';
import { passedEnd } from './passed.ts';
import { TagCache } from './tag-cache.ts';
import { isBlank, placeOf } from './search.ts';
import { nameEnd, readTag, TagFault, type XmlAttributes, type XmlTag } from './tag.ts';

/** What a scanner tells of a document, in document order. */
export interface XmlEvents {
  open(name: string, attributes: XmlAttributes): void;
  close(): void;
  /** Text without references and CDATA marks; only while `collecting`. Blanks between tags come as one space. */
  text(text: string): void;
}

/** What production 2 of XML 1.0 leaves out, but for halves of surrogate pairs, which no decoder gives. */
const NOT_XML = new RegExp(String.raw`[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]`);
/** Characters. */
const MOST_WAITING = 1024 * 1024;
const CDATA = '<![CDATA[';
const DOCTYPE = '<!DOCTYPE';

/**
 * Reads XML 1.0 text chunk by chunk and checks that it is well-formed. It looks for the next `<` and `>` with
 * the engine's own search instead of visiting each character, and takes no copy of what nobody collects.
 *
 * No DTD is read; the only references known are the five of XML and characters by number. Several documents
 * may follow one another, as in answers of E-utilities saved to one file. Namespaces are not resolved.
 */
export class XmlScanner {
  /** Whether texts are wanted: set by who listens. */
  collecting = false;
  /** Whether nobody wants to be told of what is in the open element: set by who listens, who is still told most of it. */
  passing = false;
  readonly #events: XmlEvents;
  readonly #stack: string[] = [];
  readonly #tags = new TagCache();
  #text = '';
  /** Place in `#text` up to which the document is read. */
  #at = 0;
  /** Characters before `#text`. */
  #before = 0;
  #line = 1;
  #lineAt = 0;
  /** The next `&` and `]]>` at or after the last place asked about. */
  #amp = -1;
  #sectionEnd = -1;
  readonly #lineEnds = new UnixLineEnds();
  /** What came since, while a long tag or text waits for its end: looked through when it is a quarter of that. */
  #waiting = '';
  #rootSeen = false;

  constructor(events: XmlEvents) {
    this.#events = events;
  }

  /** Characters given so far. */
  get received(): number {
    return this.#before + this.#text.length + this.#waiting.length;
  }

  /** Characters of them that are read; the rest waits for the end of its tag or text. */
  get position(): number {
    return this.#before + this.#at;
  }

  /** Line, from 1, of the place up to which the document is read. */
  get line(): number {
    this.#countLines();
    return this.#line;
  }

  /** Reads a chunk as far as it goes, or keeps it for later where a long tag or text is open. Throws an XmlFault. */
  write(chunk: string): void {
    this.#waiting += this.#lineEnds.of(chunk);
    const open = this.#text.length - this.#at;
    if (this.#waiting.length >= Math.min(open / 4, MOST_WAITING)) this.settle();
  }

  /** Reads what is kept for later. Throws an XmlFault. */
  settle(): void {
    const chunk = this.#waiting;
    this.#waiting = '';
    this.#append(chunk);
    const illegal = NOT_XML.exec(this.#text);
    if (illegal !== null) this.#text = this.#text.slice(0, illegal.index);
    this.#scan();
    if (illegal === null) return;
    const code = illegal[0].charCodeAt(0).toString(16).padStart(4, '0');
    this.#at = this.#text.length;
    throw this.#fault(`disallowed character U+${code.toUpperCase()}`);
  }

  /** The document ends here. Throws an XmlFault where it should not. */
  close(): void {
    this.settle();
    const pending = this.#text.slice(this.#at);
    const name = this.#stack.at(-1);
    const cut =
      name !== undefined
        ? `<${name}> is not closed`
        : pending.trim() !== ''
          ? 'text or a tag without an end'
          : this.#rootSeen
            ? null
            : 'it has no element';
    if (cut === null) return;
    this.#at = this.#text.length;
    throw new XmlFault('truncated', this.line, cut);
  }

  #countLines(): void {
    for (;;) {
      const next = this.#text.indexOf('\n', this.#lineAt);
      if (next < 0 || next >= this.#at) break;
      this.#line += 1;
      this.#lineAt = next + 1;
    }
    this.#lineAt = Math.max(this.#lineAt, this.#at);
  }

  #append(chunk: string): void {
    this.#countLines();
    this.#before += this.#at;
    this.#lineAt -= this.#at;
    this.#text = this.#at === this.#text.length ? chunk : this.#text.slice(this.#at) + chunk;
    this.#at = 0;
    this.#amp = -1;
    this.#sectionEnd = -1;
  }

  #scan(): void {
    const text = this.#text;
    for (;;) {
      if (this.passing) this.#pass();
      const open = text.indexOf('<', this.#at);
      if (open < 0) return;
      if (open > this.#at) this.#characters(this.#at, open);
      this.#at = open;
      const end = this.#markup(open);
      if (end < 0) return;
      this.#at = end;
    }
  }

  /** Passes the plain elements that follow, all at once. */
  #pass(): void {
    const text = this.#text;
    const end = passedEnd(text, this.#at);
    if (this.#sectionEnd < this.#at) this.#sectionEnd = placeOf(text, ']]>', this.#at);
    if (this.#sectionEnd >= end) this.#at = end;
  }

  /** The markup that begins at `open`; the place after it, or -1 while its end is not there yet. */
  #markup(open: number): number {
    switch (this.#text.charCodeAt(open + 1)) {
      case 0x2f:
        return this.#closingTag(open);
      case 0x21:
        return this.#declaration(open);
      case 0x3f:
        return this.#instruction(open);
      default:
        return this.#openingTag(open);
    }
  }

  #openingTag(open: number): number {
    const text = this.#text;
    const close = text.indexOf('>', open + 1);
    // A tag is read once it is there, not anew with every chunk of it.
    if (close < 0) return -1;
    const known = this.#tags.find(text, open, close);
    if (known !== null) {
      this.#open(known);
      return close + 1;
    }
    const read = this.#tag(open + 1);
    if (read === null) return -1;
    if (read.end === close + 1) this.#tags.keep(text, open, close, read.tag);
    this.#open(read.tag);
    return read.end;
  }

  #tag(from: number): ReturnType<typeof readTag> {
    try {
      return readTag(this.#text, from);
    } catch (error) {
      throw error instanceof TagFault ? this.#fault(error.message) : error;
    }
  }

  #open({ name, attributes, empty }: XmlTag): void {
    this.#rootSeen = true;
    this.#stack.push(name);
    this.#events.open(name, attributes);
    if (!empty) return;
    this.#stack.pop();
    this.#events.close();
  }

  #closingTag(open: number): number {
    const text = this.#text;
    const name = this.#stack.at(-1);
    const after = open + 2 + (name?.length ?? 0);
    const named = name !== undefined && text.startsWith(name, open + 2);
    let close = after;
    if (!named || text.charCodeAt(after) !== 0x3e) {
      close = text.indexOf('>', open + 2);
      if (close < 0) return -1;
      if (!named || !/^[ \t\n]*$/.test(text.slice(after, close))) {
        const found = text.slice(open + 2, Math.min(close, open + 60));
        const expected = name === undefined ? 'where nothing is open' : `where </${name}> should be`;
        throw this.#fault(`</${found}> ${expected}`);
      }
    }
    this.#stack.pop();
    this.#events.close();
    return close + 1;
  }

  /** Comment, CDATA section or DOCTYPE. */
  #declaration(open: number): number {
    const text = this.#text;
    if (text.startsWith('<!--', open)) {
      const end = text.indexOf('--', open + 4);
      if (end < 0 || end + 2 >= text.length) return -1;
      if (text[end + 2] !== '>') throw this.#fault('-- inside a comment');
      return end + 3;
    }
    if (text.startsWith(CDATA, open)) {
      const end = text.indexOf(']]>', open + CDATA.length);
      if (end < 0) return -1;
      if (this.#stack.length === 0) throw this.#fault('a CDATA section outside of all elements');
      if (this.collecting) this.#events.text(text.slice(open + CDATA.length, end));
      return end + 3;
    }
    if (text.startsWith(DOCTYPE, open)) return this.#doctype(open);
    const rest = text.slice(open, open + CDATA.length);
    if (rest.length < CDATA.length && [CDATA, DOCTYPE].some((start) => start.startsWith(rest))) return -1;
    if ('<!--'.startsWith(rest)) return -1;
    throw this.#fault('a <! that begins no comment, CDATA section or DOCTYPE');
  }

  #doctype(open: number): number {
    if (this.#stack.length > 0) throw this.#fault('a DOCTYPE inside an element');
    const { end, entities } = readDoctype(this.#text, open + DOCTYPE.length);
    if (!entities) return end;
    throw new XmlFault('entities', this.line, 'the document declares its own entities');
  }

  #instruction(open: number): number {
    const text = this.#text;
    const end = text.indexOf('?>', open + 2);
    if (end < 0) return -1;
    const target = text.slice(open + 2, nameEnd(text, open + 2));
    if (target === '') throw this.#fault('a processing instruction without a name');
    const declaration = target.toLowerCase() === 'xml';
    const first = this.#before + open === 0 || (this.#rootSeen && this.#stack.length === 0);
    if (declaration && !first) throw this.#fault('an XML declaration that is not at the start');
    return end + 2;
  }

  #characters(start: number, end: number): void {
    const text = this.#text;
    if (this.#stack.length === 0) {
      if (text.slice(start, end).trim() !== '') throw this.#fault('text outside of all elements');
      return;
    }
    if (this.#sectionEnd < start) this.#sectionEnd = placeOf(text, ']]>', start);
    if (this.#sectionEnd < end) {
      this.#at = this.#sectionEnd;
      throw this.#fault(']]> in a text');
    }
    if (this.#amp < start) this.#amp = placeOf(text, '&', start);
    if (this.#amp < end) {
      const plain = this.#resolved(start, end);
      if (this.collecting) this.#events.text(plain);
    } else if (this.collecting) {
      this.#events.text(isBlank(text, start, end) ? ' ' : text.slice(start, end));
    }
  }

  #resolved(start: number, end: number): string {
    try {
      return withoutReferences(this.#text.slice(start, end));
    } catch (error) {
      if (!(error instanceof ReferenceFault)) throw error;
      this.#at = start + error.place;
      throw this.#fault(error.message);
    }
  }

  #fault(message: string): XmlFault {
    return new XmlFault('malformed', this.line, message);
  }
}
