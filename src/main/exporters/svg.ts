import * as echarts from 'echarts';
import type { EChartsOption } from 'echarts';

export interface SvgSize {
  readonly width: number;
  readonly height: number;
}

/** Rules for pointers over marks: no use on paper, and refused where a page allows no inline styles. */
const STYLE_SHEETS = /<style\b[^>]*>[\s\S]*?<\/style>/g;

/** Draws a chart without a browser. Size in CSS pixels; the text of the SVG stays text. */
export function renderSvg(option: EChartsOption, size: SvgSize): string {
  const chart = echarts.init(null, null, {
    renderer: 'svg',
    ssr: true,
    width: size.width,
    height: size.height,
  });
  try {
    chart.setOption({ ...option, animation: false });
    return chart.renderToSVGString().replaceAll(STYLE_SHEETS, '');
  } finally {
    // An undisposed chart keeps a timer, and with it the process, alive.
    chart.dispose();
  }
}

/** The SVG at a width in millimetres, so that it lands in a document at its true size. */
export function withPrintSize(svg: string, widthMm: number, size: SvgSize): string {
  const heightMm = (widthMm * size.height) / size.width;
  return svg.replace(
    /^<svg ([^>]*?)width="[^"]*" height="[^"]*"/,
    `<svg $1width="${widthMm}mm" height="${heightMm.toFixed(2)}mm"`,
  );
}
