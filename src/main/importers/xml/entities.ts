const NAMED: Readonly<Record<string, string | undefined>> = {
  lt: '<',
  gt: '>',
  amp: '&',
  quot: '"',
  apos: "'",
};

/** A text whose references name something that XML does not have. */
export class ReferenceFault extends Error {
  /** Where in the text its & stands. */
  readonly place: number;

  constructor(message: string, place: number) {
    super(message);
    this.place = place;
  }
}

/**
 * A text with its references replaced: the five of XML and characters by number. Nothing else is known, so
 * nothing expands. Throws a ReferenceFault for any other `&`.
 */
export function withoutReferences(text: string): string {
  let from = 0;
  let plain = '';
  for (;;) {
    const amp = text.indexOf('&', from);
    if (amp < 0) return plain + text.slice(from);
    const end = text.indexOf(';', amp + 1);
    if (end < 0 || end - amp > 32) throw new ReferenceFault('an & that begins no reference', amp);
    plain += text.slice(from, amp) + referenced(text.slice(amp + 1, end), amp);
    from = end + 1;
  }
}

function referenced(reference: string, place: number): string {
  const named = NAMED[reference];
  if (named !== undefined) return named;
  const code = codeOf(reference);
  if (code === null) throw new ReferenceFault(`undefined entity: &${reference};`, place);
  if (!isXmlCharacter(code)) throw new ReferenceFault(`&${reference}; is no character of XML`, place);
  return String.fromCodePoint(code);
}

function codeOf(reference: string): number | null {
  const [, hex, decimal] = /^#(?:x([0-9a-fA-F]+)|(\d+))$/.exec(reference) ?? [];
  if (hex !== undefined) return parseInt(hex, 16);
  return decimal === undefined ? null : Number(decimal);
}

/** Production 2 of XML 1.0. */
function isXmlCharacter(code: number): boolean {
  if (code < 0x20) return code === 0x9 || code === 0xa || code === 0xd;
  return code <= 0xd7ff || (code >= 0xe000 && code <= 0xfffd) || (code >= 0x10000 && code <= 0x10ffff);
}
