/** CRLF and lone CR as LF, chunk by chunk; a CR at the end of a chunk waits for the next. */
export class UnixLineEnds {
  #heldReturn = false;

  of(chunk: string): string {
    if (!this.#heldReturn && !chunk.includes('\r')) return chunk;
    const whole = this.#heldReturn ? `\r${chunk}` : chunk;
    this.#heldReturn = whole.endsWith('\r');
    const ended = this.#heldReturn ? whole.slice(0, -1) : whole;
    return ended.replace(/\r\n?/g, '\n');
  }
}
