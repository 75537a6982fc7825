export type CsvValue = string | number | boolean | null;

/** First characters that make a spreadsheet read a text as a formula. */
const FORMULA = /^[=+\-@\t\r]/;

/**
 * RFC 4180 with a header and LF line ends. Texts that a spreadsheet would run as a formula get a leading
 * apostrophe; numbers stay as they are. Missing values and NaN are empty.
 */
export function csvText(columns: readonly string[], rows: Iterable<readonly CsvValue[]>): string {
  const lines = [columns, ...rows].map((row) => row.map(csvField).join(','));
  return `${lines.join('\n')}\n`;
}

export function csvField(value: CsvValue): string {
  if (value === null) return '';
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : '';
  if (typeof value === 'boolean') return String(value);
  const safe = FORMULA.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
