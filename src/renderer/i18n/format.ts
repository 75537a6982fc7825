/** Numbers, sizes and times as the interface writes them: true minus, thousands with a comma, fixed decimals. */

const MINUS = '\u2212';

/** `1,234`; fractions to at most one decimal below ten. */
export function count(n: number): string {
  return n.toLocaleString('en-US', { maximumFractionDigits: Math.abs(n) < 10 ? 1 : 0 }).replace('-', MINUS);
}

/** Fixed decimals with a true minus; a dash where there is no value. */
export function fixed(n: number | null | undefined, decimals: number): string {
  if (n === null || n === undefined || !Number.isFinite(n)) return '–';
  const text = n.toFixed(decimals);
  return (Number(text) === 0 ? text.replace('-', '') : text).replace('-', MINUS);
}

/** `5e−5`, `0.01`, `1`: as a setting is written. */
export function setting(n: number): string {
  const text = n !== 0 && Math.abs(n) < 0.001 ? n.toExponential() : String(n);
  return text.replace('-', MINUS);
}

/** `124 M`, `260 k`. */
export function amount(n: number): string {
  const units: readonly [number, string][] = [
    [1e9, ' G'],
    [1e6, ' M'],
    [1e3, ' k'],
  ];
  const [size, unit] = units.find(([s]) => n >= s) ?? [1, ''];
  const value = n / size;
  return `${value >= 100 || unit === '' ? Math.round(value) : Number(value.toPrecision(3))}${unit}`;
}

/** Binary size with one decimal from megabytes up. */
export function bytes(n: number): string {
  if (n < 1024) return `${n} B`;
  if (n < 1024 ** 2) return `${Math.round(n / 1024)} kB`;
  if (n < 1024 ** 3) return `${(n / 1024 ** 2).toFixed(1)} MB`;
  return `${(n / 1024 ** 3).toFixed(1)} GB`;
}

const MINUTES_A_DAY = 24 * 60;

/** `7 s`, `4 min`, `2 h 10 min`, `9 days`. */
export function duration(seconds: number): string {
  if (seconds < 1) return 'under 1 s';
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  if (minutes >= 3 * MINUTES_A_DAY) return `${Math.round(minutes / MINUTES_A_DAY)} days`;
  const rest = minutes % 60;
  return `${Math.floor(minutes / 60)} h${rest === 0 ? '' : ` ${rest} min`}`;
}

/** An exponent: `⁻⁵`. */
export function superscript(n: number): string {
  return String(n).replaceAll(/[-\d]/g, (c) => (c === '-' ? '⁻' : ('⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(c)] ?? c)));
}

/** `09:41`. */
export function clock(at: Date | string): string {
  return new Date(at).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
}

/** `12 Nov 2026`. */
export function day(at: Date | string): string {
  return new Date(at).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
}

/** `1 record`, `2 records`. */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}
