const MINUS = '−';

/** Fixed decimals, true minus, no minus before a rounded zero; `–` where there is no value. */
export function formatNumber(value: number | null | undefined, decimals = 2): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  const text = Math.abs(value).toFixed(decimals);
  return value < 0 && Number(text) !== 0 ? MINUS + text : text;
}

/** As `formatNumber`, with a plus before positive values. */
export function formatSigned(value: number | null | undefined, decimals = 2): string {
  const text = formatNumber(value, decimals);
  return typeof value === 'number' && Number(value.toFixed(decimals)) > 0 ? `+${text}` : text;
}

/** For small cells: no zero before the point. */
export function formatCompact(value: number, decimals = 2): string {
  return formatNumber(value, decimals).replace(/^(−?)0\./, '$1.');
}

/** Whole numbers with thousands separated by a comma. */
export function formatCount(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `0.51 to 0.63`. */
export function formatInterval(low: number | null, high: number | null, decimals = 2): string {
  return low === null || high === null
    ? '–'
    : `${formatNumber(low, decimals)} to ${formatNumber(high, decimals)}`;
}

/** A token with its leading space shown as a dot and line breaks named. */
export function visibleToken(text: string): string {
  return text.replace(/^ /, '·').replaceAll('\n', '⏎').replaceAll('\t', '⇥');
}

/** A small p with two significant digits, never 0. */
export function formatP(p: number | null): string {
  if (p === null) return '–';
  return p < 0.001 ? '< 0.001' : p < 0.1 ? p.toPrecision(2) : p.toFixed(2);
}
