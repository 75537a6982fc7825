/**
 * SentencePiece's way of writing text (Kudo & Richardson 2018), as tokenizer.json holds it: `▁` stands for a
 * space, and a byte that is in no piece is a token of its own, `<0xE2>`.
 */
const SPACE = '▁';
const BYTE = /^<0x([0-9A-Fa-f]{2})>$/;

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function byteOf(piece: string): number | null {
  const hex = BYTE.exec(piece)?.[1];
  return hex === undefined ? null : parseInt(hex, 16);
}

/** One piece as it stands in text; bytes that are no character are shown as `⟨E2⟩`. */
export function fromPiece(piece: string): string {
  const byte = byteOf(piece);
  if (byte === null) return piece.replaceAll(SPACE, ' ');
  if (byte < 0x80) return String.fromCharCode(byte);
  return `⟨${byte.toString(16).toUpperCase().padStart(2, '0')}⟩`;
}

/** Pieces as text; neighbouring bytes become characters, or one `�` each where they are none. */
export function joinPieces(pieces: readonly string[]): string {
  let out = '';
  let bytes: number[] = [];
  const flush = (): void => {
    if (bytes.length > 0) out += decodeBytes(bytes);
    bytes = [];
  };
  for (const piece of pieces) {
    const byte = byteOf(piece);
    if (byte !== null) bytes.push(byte);
    else {
      flush();
      out += piece.replaceAll(SPACE, ' ');
    }
  }
  flush();
  return out;
}

function decodeBytes(bytes: readonly number[]): string {
  try {
    return strict.decode(Uint8Array.from(bytes));
  } catch {
    return '\ufffd'.repeat(bytes.length);
  }
}
