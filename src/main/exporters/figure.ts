import type { FigureOptions } from '../../shared/domain/index.ts';
import {
  figureHeight,
  figureOption,
  figureTheme,
  PX_PER_MM,
  toTable,
  type Figure,
} from '../../shared/figures/index.ts';
import { csvText } from './csv.ts';
import { renderPng } from './png.ts';
import { renderSvg, withPrintSize, type SvgSize } from './svg.ts';

export interface RenderedFigure {
  readonly bytes: Uint8Array;
  readonly mime: string;
}

const encoder = new TextEncoder();

/** How a figure is written, one row per format. */
const FORMATS: Readonly<
  Record<FigureOptions['format'], (figure: Figure, options: FigureOptions) => RenderedFigure>
> = {
  svg: (figure, options) => {
    const { svg, size } = draw(figure, options);
    return { bytes: encoder.encode(withPrintSize(svg, options.widthMm, size)), mime: 'image/svg+xml' };
  },
  png: (figure, options) => ({
    bytes: renderPng(draw(figure, options).svg, options.widthMm, options.dpi),
    mime: 'image/png',
  }),
  csv: (figure) => {
    const { columns, rows } = toTable(figure);
    return { bytes: encoder.encode(csvText(columns, rows)), mime: 'text/csv' };
  },
};

export function renderFigure(figure: Figure, options: FigureOptions): RenderedFigure {
  return FORMATS[options.format](figure, options);
}

/** The figure as SVG at its printed width, text sizes true at that width. */
export function draw(
  figure: Figure,
  { widthMm, theme }: Pick<FigureOptions, 'widthMm' | 'theme'>,
): { svg: string; size: SvgSize } {
  const look = figureTheme(theme, 'print');
  const width = Math.round(widthMm * PX_PER_MM);
  const size = { width, height: figureHeight(figure, width, look) };
  return { svg: renderSvg(figureOption(figure, look, size), size), size };
}
