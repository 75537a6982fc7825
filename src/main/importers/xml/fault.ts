/**
 * A document that is not well-formed, declares entities, stops before it is whole (`truncated`), or nests deeper
 * than its reader allows (`deep`).
 */
export class XmlFault extends Error {
  readonly line: number;
  readonly kind: 'malformed' | 'truncated' | 'entities' | 'deep';

  constructor(kind: XmlFault['kind'], line: number, message: string) {
    super(message);
    this.kind = kind;
    this.line = line;
  }
}

/** What a part of a scanner found wrong; the scanner makes it an XmlFault with a line. */
export class PartFault extends Error {
  /** Where in the window; null = where the scanner is. */
  readonly place: number | null;
  readonly kind: 'malformed' | 'entities';

  constructor(message: string, place: number | null = null, kind: PartFault['kind'] = 'malformed') {
    super(message);
    this.place = place;
    this.kind = kind;
  }
}
