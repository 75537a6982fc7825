export function isZip(bytes: Uint8Array): boolean {
  return [0x50, 0x4b, 0x03, 0x04].every((byte, i) => bytes[i] === byte);
}

/** Whether the first bytes of a ZIP file name a part that Excel workbooks have. */
export function isWorkbook(bytes: Uint8Array): boolean {
  return isZip(bytes) && ['[Content_Types].xml', 'xl/', '_rels/.rels'].some((name) => holds(bytes, name));
}

/** Whether the bytes hold this ASCII text anywhere. */
export function holds(bytes: Uint8Array, text: string): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(text, 0, 'latin1');
}
