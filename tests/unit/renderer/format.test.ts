import { describe, expect, it } from 'vitest';
import {
  amount,
  bytes,
  count,
  duration,
  fixed,
  plural,
  setting,
  superscript,
} from '../../../src/renderer/i18n/format.ts';

describe('numbers as the interface writes them', () => {
  it('uses commas and a true minus', () => {
    expect(count(6214)).toBe('6,214');
    expect(count(-12)).toBe('−12');
    expect(count(1.25)).toBe('1.3');
  });
  it('fixes decimals, never shows a negative zero, and marks what is missing', () => {
    expect(fixed(2.8849, 3)).toBe('2.885');
    expect(fixed(-0.41, 2)).toBe('−0.41');
    expect(fixed(-0.001, 2)).toBe('0.00');
    expect(fixed(null, 2)).toBe('–');
    expect(fixed(Number.NaN, 2)).toBe('–');
  });
  it('writes settings as papers do', () => {
    expect(setting(5e-5)).toBe('5e−5');
    expect(setting(0.01)).toBe('0.01');
    expect(setting(0)).toBe('0');
    expect(superscript(-5)).toBe('⁻⁵');
  });
  it('shortens amounts, sizes and times', () => {
    expect(amount(124_439_808)).toBe('124 M');
    expect(amount(260_032)).toBe('260 k');
    expect(amount(512)).toBe('512');
    expect(bytes(1024)).toBe('1 kB');
    expect(bytes(5.1 * 1024 ** 3)).toBe('5.1 GB');
    expect(duration(0.2)).toBe('under 1 s');
    expect(duration(61)).toBe('61 s');
    expect(duration(900)).toBe('15 min');
    expect(duration(2 * 3600 + 600)).toBe('2 h 10 min');
    expect(duration(50 * 3600)).toBe('50 h');
    expect(duration(9.2 * 24 * 3600)).toBe('9 days');
    expect(plural(1, 'copy', 'copies')).toBe('1 copy');
    expect(plural(3, 'copy', 'copies')).toBe('3 copies');
  });
});
