const RETURN = 0x0d;
const LINE_END = 0x0a;

/** CRLF and lone CR as LF, chunk by chunk; a CR at the end of a chunk waits for the next. */
export class UnixLineEnds {
  #heldReturn = false;

  /** The chunk itself where nothing is to change. */
  of(chunk: Uint8Array): Uint8Array {
    const { buffer, byteOffset, length: size } = chunk;
    if (!this.#heldReturn && !Buffer.from(buffer, byteOffset, size).includes(RETURN)) return chunk;
    const ended = new Uint8Array(chunk.length + 1);
    let length = 0;
    let held = this.#heldReturn;
    for (const byte of chunk) {
      if (held) ended[length++] = LINE_END;
      if (byte !== RETURN && !(held && byte === LINE_END)) ended[length++] = byte;
      held = byte === RETURN;
    }
    this.#heldReturn = held;
    return ended.subarray(0, length);
  }
}
