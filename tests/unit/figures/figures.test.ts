import * as echarts from 'echarts';
import { SaxesParser } from 'saxes';
import { describe, expect, it } from 'vitest';
import {
  differenceHeatmap,
  effectHeatmap,
  figureHeight,
  figureOption,
  FIGURES,
  figureTheme,
  gapDots,
  PX_PER_MM,
  sharedDomain,
  smallLine,
  toTable,
  type FigureTheme,
} from '../../../src/shared/figures/index.ts';
import { figures, headGrid, positionGrid } from './sample.ts';

type Option = Parameters<echarts.ECharts['setOption']>[0];

/** Renders without a browser; fails on anything that is not well-formed XML. */
function svgOf(option: Option, width: number, height: number): string {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption(option);
    const svg = chart.renderToSVGString();
    new SaxesParser().write(svg).close();
    return svg;
  } finally {
    chart.dispose();
  }
}
const texts = (svg: string): string[] =>
  [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map((m) => m[1] ?? '');
const themes: FigureTheme[] = [figureTheme('light'), figureTheme('dark'), figureTheme('light', 'print')];

describe('every kind of figure', () => {
  it('has a sample here', () => {
    expect(figures.map((f) => f.kind).sort()).toEqual(Object.keys(FIGURES).sort());
  });

  describe.each(figures)('$kind', (figure) => {
    it.each(themes)('renders as SVG on its canvas, $name', (theme) => {
      for (const mm of [85, 114, 174]) {
        const width = Math.round(mm * PX_PER_MM);
        const height = figureHeight(figure, width, theme);
        expect(height).toBeGreaterThan(40);
        const svg = svgOf(figureOption(figure, theme, { width, height }), width, height);
        expect(svg).toContain(`width="${width}"`);
        expect(texts(svg).length).toBeGreaterThan(2);
        expect(svg).not.toMatch(/NaN|undefined|Infinity/);
      }
    });

    it('has a table with one value a column', () => {
      const { columns, rows } = toTable(figure);
      expect(rows.length).toBeGreaterThan(0);
      for (const row of rows) expect(row).toHaveLength(columns.length);
    });
  });
});

describe('effectHeatmap', () => {
  const theme = figureTheme('light');
  const size = { width: 640, height: 300 };
  const draw = (...args: Parameters<typeof effectHeatmap>) =>
    svgOf(effectHeatmap(...args), size.width, size.height);

  it('prints values from 0.05 with a true minus, and not below', () => {
    const shown = texts(draw(positionGrid(), theme, size));
    expect(shown).toContain('−0.30');
    expect(shown).toContain('0.70');
    expect(shown).toContain('0.06');
    expect(shown).not.toContain('0.04');
    expect(shown).not.toContain('0.00');
  });

  it('prints no values where cells are smaller than 26 × 16', () => {
    expect(texts(draw(positionGrid(), theme, { width: 120, height: 300 }))).not.toContain('0.70');
  });

  it('colours by a fixed domain: the same value has the same fill whatever else the grid holds', () => {
    const fillOf = (grid: ReturnType<typeof headGrid>) => draw(grid, theme, size);
    const strong = headGrid();
    const weak = { ...strong, recovery: strong.recovery.map((v) => (v ?? 0) / 10) };
    expect(fillOf(strong)).toContain(theme.fills[13] ?? 'none');
    expect(fillOf(weak)).not.toContain(theme.fills[13] ?? 'none');
  });

  it('ends the scale beyond the domain and still prints the value', () => {
    const svg = draw(positionGrid(), theme, size, { domain: 0.5 });
    expect(svg).toContain(theme.fills[20] ?? 'none');
    expect(texts(svg)).toContain('1.20');
  });

  it('names tokens, span names and what is fixed by construction; hides fixed columns on request', () => {
    const names = new Map([[4, 'END']]);
    const shown = texts(draw(positionGrid(), theme, size, { names }));
    expect(shown).toContain('END');
    expect(shown).toContain('Mary');
    expect(shown).toContain('fixed by construction');
    expect(shown).toContain('first difference onwards');
    const hidden = texts(draw(positionGrid(), theme, size, { names, hideFixed: true }));
    expect(hidden).not.toContain('When');
    expect(hidden).toContain('Mary');
  });

  it('shows cells that are still to come as not run and detections as open', () => {
    const grid = positionGrid();
    const running = {
      ...grid,
      pairsDone: 2,
      recovery: grid.recovery.map((v, i) => (i % 5 === 3 ? null : v)),
    };
    const complete = draw(grid, theme, size);
    const partial = draw(running, theme, size);
    const dots = (svg: string) =>
      [...svg.matchAll(/<(?:path|circle)[^>]*fill="none"[^>]*stroke-width="1.3"/g)].length;
    expect(dots(complete)).toBe(0);
    expect(dots(partial)).toBe(1);
    expect(partial).toContain(`fill="${theme.edge}"`);
  });

  it('names the domain on the legend and only marks that occur', () => {
    const shown = texts(draw(headGrid(), theme, size, { legend: true, domain: 0.5 }));
    expect(shown).toContain('−0.5');
    expect(shown).toContain('detected, 2 SD');
    expect(shown).not.toContain('trivial');
  });

  it('carries its site to the events of the chart and rings the pinned one', () => {
    const option = effectHeatmap(headGrid(), theme, size, { pinned: [{ layer: 2, column: 1 }] });
    expect(JSON.stringify(option.series)).toContain('"site":{"layer":2,"column":1}');
    expect(svgOf(option, size.width, size.height)).toContain(`stroke="${theme.accent}"`);
  });
});

describe('grids of other axes', () => {
  const theme = figureTheme('light', 'print');
  const size = { width: 640, height: 300 };
  it('name their heads', () => {
    const shown = texts(svgOf(effectHeatmap(headGrid(), theme, size), size.width, size.height));
    expect(shown).toContain('Head');
    expect(shown).toContain('Layer');
  });
  it('over layers alone are drawn as a line', () => {
    const whole = positionGrid();
    const every = <T>(values: readonly T[]) => values.filter((_, i) => i % 5 === 4);
    const grid = {
      ...whole,
      axes: 'layer' as const,
      columns: 1,
      columnLabels: [''],
      recovery: every(whole.recovery),
      low: every(whole.low),
      high: every(whole.high),
      state: every(whole.state),
    };
    const option = figureOption({ kind: 'effects', grid }, theme, size);
    expect(texts(svgOf(option, size.width, size.height))).toEqual(
      expect.arrayContaining(['Layer', 'Recovery']),
    );
    expect(JSON.stringify(option.series)).toContain('"type":"line"');
  });
});

describe('shared scale, difference and small charts', () => {
  const theme = figureTheme('dark');
  it('chooses one domain for all compared grids', () => {
    expect(sharedDomain([headGrid(), headGrid(0.1)])).toBe(0.5);
    expect(sharedDomain([headGrid(), headGrid(0.6)])).toBe(1);
  });
  it('draws a difference of grids of unequal size in the larger one', () => {
    const a = headGrid();
    const b = {
      ...headGrid(),
      columns: 3,
      recovery: headGrid().recovery.slice(0, 12),
      state: headGrid().state.slice(0, 12),
    };
    const difference = a.recovery.map((_, i) => (i % 4 === 3 ? null : 0.2));
    const option = differenceHeatmap({ a, b, difference }, theme, { width: 300, height: 200 });
    expect(texts(svgOf(option, 300, 200))).toContain('×');
  });
  it('draws a small line and the gaps of a set with the open pair named', () => {
    expect(
      svgOf(
        smallLine(
          [
            [0, 1],
            [5, 3],
          ],
          theme,
          String,
        ),
        200,
        80,
      ),
    ).toContain('<path');
    const dots = [-0.4, 0.06, 1, 1, 1.02, 5.46, 6].map((gap, i) => ({ id: `P-${i}`, gap }));
    const shown = texts(svgOf(gapDots(dots, 'P-5', 0.1, theme, { width: 300, height: 90 }), 300, 90));
    expect(shown).toContain('P-5, 5.46');
    expect(() => gapDots(dots, 'P-5', 0.1, theme, { width: 0, height: 0 })).not.toThrow();
  });
});

describe('a figure that is drawn again', () => {
  const theme = figureTheme('light');
  const size = { width: 640, height: 300 };
  const complete = positionGrid();
  /** Cells that are still to come draw other shapes, so every later shape moves to another place in the list. */
  const running = {
    ...complete,
    pairsDone: 2,
    recovery: complete.recovery.map((v, i) => (i % 3 === 0 ? null : v)),
    detected: complete.detected.map(() => false),
  };

  it('ends as if it had been drawn once', () => {
    const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, ...size });
    try {
      chart.setOption(effectHeatmap(running, theme, size));
      chart.renderToSVGString();
      chart.setOption(effectHeatmap(complete, theme, size), { notMerge: true });
      const again = chart.renderToSVGString();
      expect(rectangles(again)).toEqual(
        rectangles(svgOf(effectHeatmap(complete, theme, size), size.width, size.height)),
      );
    } finally {
      chart.dispose();
    }
  });

  /** Every filled path with its place; order and generated class names aside. */
  function rectangles(svg: string): string[] {
    return [...svg.matchAll(/<path ([^>]*)>/g)]
      .map((m) =>
        (m[1] ?? '')
          .replace(/class="[^"]*"|ecmeta_[a-z_]+="[^"]*"/g, '')
          .replace(/\s+/g, ' ')
          .trim(),
      )
      .sort();
  }
});
