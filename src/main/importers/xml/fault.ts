/** A document that is not well-formed, or declares entities. `truncated`: it stops before it is whole. */
export class XmlFault extends Error {
  readonly line: number;
  readonly kind: 'malformed' | 'truncated' | 'entities';

  constructor(kind: XmlFault['kind'], line: number, message: string) {
    super(message);
    this.kind = kind;
    this.line = line;
  }
}
