import { invariant } from '../../../shared/errors/index.ts';

/**
 * Protocol-buffers wire format (proto3 encoding guide), writing only: varints, length-delimited fields
 * and 32-bit floats are all that ONNX models need.
 */
export class WireWriter {
  #chunks: Uint8Array[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  #push(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
    this.#size += bytes.length;
  }

  #varint(value: number | bigint): void {
    let v = BigInt.asUintN(64, BigInt(value));
    const out: number[] = [];
    do {
      const low = Number(v & 0x7fn);
      v >>= 7n;
      out.push(v === 0n ? low : low | 0x80);
    } while (v !== 0n);
    this.#push(Uint8Array.from(out));
  }

  /** Field of wire type 0. */
  int(field: number, value: number | bigint): void {
    this.#varint((field << 3) | 0);
    this.#varint(value);
  }

  float(field: number, value: number): void {
    this.#varint((field << 3) | 5);
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    this.#push(bytes);
  }

  bytes(field: number, value: Uint8Array): void {
    this.#varint((field << 3) | 2);
    this.#varint(value.length);
    this.#push(value);
  }

  string(field: number, value: string): void {
    this.bytes(field, utf8(value));
  }

  message(field: number, write: (w: WireWriter) => void): void {
    const inner = new WireWriter();
    write(inner);
    this.#varint((field << 3) | 2);
    this.#varint(inner.size);
    for (const chunk of inner.#chunks) this.#push(chunk);
  }

  finish(): Uint8Array {
    invariant(this.#size < 2 ** 31, 'a protobuf of 2 GiB or more');
    const out = new Uint8Array(this.#size);
    let at = 0;
    for (const chunk of this.#chunks) {
      out.set(chunk, at);
      at += chunk.length;
    }
    return out;
  }
}

/** UTF-8 without a platform API (the engine compiles for no platform). Lone surrogates become U+FFFD. */
function utf8(text: string): Uint8Array {
  const out: number[] = [];
  for (const ch of text) {
    let c = ch.codePointAt(0) ?? 0xfffd;
    if (c >= 0xd800 && c <= 0xdfff) c = 0xfffd;
    if (c < 0x80) out.push(c);
    else if (c < 0x800) out.push(0xc0 | (c >> 6), 0x80 | (c & 63));
    else if (c < 0x10000) out.push(0xe0 | (c >> 12), 0x80 | ((c >> 6) & 63), 0x80 | (c & 63));
    else out.push(0xf0 | (c >> 18), 0x80 | ((c >> 12) & 63), 0x80 | ((c >> 6) & 63), 0x80 | (c & 63));
  }
  return Uint8Array.from(out);
}
