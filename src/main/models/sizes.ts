/** Bytes for people: `1.23 GB`, below a gigabyte `12.3 MB`. */
export const byteText = (bytes: number): string =>
  bytes >= 1e9 ? `${(bytes / 1e9).toFixed(2)} GB` : `${(bytes / 1e6).toFixed(1)} MB`;
