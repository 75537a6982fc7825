import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  figureTheme,
  formatCompact,
  formatCount,
  formatInterval,
  formatNumber,
  formatP,
  formatSigned,
  visibleToken,
} from '../../../src/shared/figures/index.ts';
import { swarm } from '../../../src/shared/figures/swarm.ts';

describe('numbers as text', () => {
  it('use a true minus, fixed decimals and no minus before zero', () => {
    expect([-0.406, -0.001, 0.57, null, Number.NaN].map((v) => formatNumber(v))).toEqual([
      '−0.41',
      '0.00',
      '0.57',
      '–',
      '–',
    ]);
    expect([2.55, -2.91, 0].map((v) => formatSigned(v))).toEqual(['+2.55', '−2.91', '0.00']);
    expect([-0.28, 1.2].map((v) => formatCompact(v))).toEqual(['−.28', '1.20']);
  });
  it('separate thousands, name intervals and never print a p of zero', () => {
    expect([999, 1440, 1234567].map(formatCount)).toEqual(['999', '1,440', '1,234,567']);
    expect(formatInterval(0.51, 0.63)).toBe('0.51 to 0.63');
    expect(formatInterval(null, 0.63)).toBe('–');
    expect([0, 0.0078125, 0.47, null].map(formatP)).toEqual(['< 0.001', '0.0078', '0.47', '–']);
  });
  it('make the spaces of tokens visible', () => {
    expect([' seizures', 'epilepsy', '\n'].map(visibleToken)).toEqual(['·seizures', 'epilepsy', '⏎']);
  });
});

describe('figure themes', () => {
  const css = readFileSync(new URL('../../../src/renderer/styles/tokens.css', import.meta.url), 'utf8');
  const start = css.indexOf("[data-theme='dark'] {");
  const blocks = { light: css.slice(0, start), dark: css.slice(start) };
  const names = [
    'm10',
    'm9',
    'm8',
    'm7',
    'm6',
    'm5',
    'm4',
    'm3',
    'm2',
    'm1',
    '0',
    'p1',
    'p2',
    'p3',
    'p4',
    'p5',
    'p6',
    'p7',
    'p8',
    'p9',
    'p10',
  ];

  it.each(['light', 'dark'] as const)('have the values of the design tokens, %s', (name) => {
    const token = (key: string) => new RegExp(`--${key}: (#[0-9a-f]{6})`).exec(blocks[name])?.[1];
    const theme = figureTheme(name);
    expect(theme.fills).toEqual(names.map((n) => token(`d-${n}`)));
    expect(theme.inks).toEqual(names.map((n) => token(`dt-${n}`)));
    expect(theme.categories).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((n) => token(`c-${n}`)));
    expect([theme.canvas, theme.text, theme.edge, theme.accent, theme.clean, theme.corrupted]).toEqual(
      ['n-0', 'n-800', 'n-400', 'accent', 'clean', 'corr'].map(token),
    );
  });
});

describe('swarm', () => {
  it('lets no two dots overlap and keeps them near the line', () => {
    const positions = [10, 11, 12, 40, 41, 90];
    const rows = swarm(positions, 8);
    positions.forEach((x, i) =>
      positions.forEach((y, j) => {
        if (i < j && rows[i] === rows[j]) expect(Math.abs(x - y)).toBeGreaterThanOrEqual(8);
      }),
    );
    expect([...rows].sort()).toEqual([-1, 0, 0, 0, 1, 1].sort());
    expect(Math.min(...swarm(positions, 8, 'up'))).toBe(0);
    expect(swarm(positions, Number.NaN)).toEqual([0, 0, 0, 0, 0, 0]);
  });
});
