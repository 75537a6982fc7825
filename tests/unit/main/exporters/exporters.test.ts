import { describe, expect, it } from 'vitest';
import { csvField, csvText } from '../../../../src/main/exporters/csv.ts';
import { renderPng } from '../../../../src/main/exporters/png.ts';
import { renderDocument } from '../../../../src/main/exporters/report/document.ts';
import { REPORT_STYLE } from '../../../../src/main/exporters/report/style.ts';
import { renderSvg, withPrintSize } from '../../../../src/main/exporters/svg.ts';

describe('CSV', () => {
  it.each([
    ['=cmd()', "'=cmd()"],
    ['+1', "'+1"],
    ['-x', "'-x"],
    ['@a', "'@a"],
    ['\tx', "'\tx"],
    [-1.5, '-1.5'],
    [Number.NaN, ''],
    [null, ''],
    [true, 'true'],
    ['a,"b"', '"a,""b"""'],
    ['two\nlines', '"two\nlines"'],
    ['plain', 'plain'],
  ])('%j is written as %j', (value, text) => {
    expect(csvField(value)).toBe(text);
  });

  it('neutralises headers too', () => {
    expect(csvText(['=x', 'y'], [[1, 'z']])).toBe("'=x,y\n1,z\n");
  });
});

describe('figures', () => {
  const size = { width: 400, height: 200 };
  const svg = renderSvg(
    {
      textStyle: { fontFamily: 'Inter' },
      title: { text: 'Layer <1>' },
      xAxis: { data: ['a', 'b'] },
      yAxis: {},
      series: [{ type: 'line', data: [1, 2] }],
    },
    size,
  );

  it('are drawn as SVG with text as text, escaped, and without scripts', () => {
    expect(svg).toMatch(/^<svg /);
    expect(svg).toContain('Layer &lt;1&gt;');
    expect(svg).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org)/);
  });

  it('bring no style sheets, which a page with a strict policy would refuse', () => {
    expect(svg).not.toContain('<style');
  });

  it('carry their size in millimetres', () => {
    expect(withPrintSize(svg, 85, size)).toMatch(/width="85mm" height="42\.50mm"/);
  });

  it('become PNG of the asked size with the resolution in the file', () => {
    const png = Buffer.from(renderPng(svg, 85, 300));
    expect(png.readUInt32BE(16)).toBe(Math.round((85 / 25.4) * 300));
    const at = png.indexOf('pHYs', 0, 'latin1');
    expect(png.readUInt32BE(at + 4)).toBe(Math.round(300_000 / 25.4));
    expect(png.readUInt8(at + 12)).toBe(1);
    expect(png.indexOf('pHYs', at + 1, 'latin1')).toBe(-1);
  });

  it('show their text in Inter, also where the system has no fonts', () => {
    const box = '<svg xmlns="http://www.w3.org/2000/svg" width="100" height="30">';
    const text = renderPng(
      `${box}<text x="4" y="20" font-family="Inter" font-size="16">Recovery</text></svg>`,
      85,
      300,
    );
    const empty = renderPng(`${box}</svg>`, 85, 300);
    expect(text.byteLength).toBeGreaterThan(empty.byteLength + 500);
  });
});

describe('the report', () => {
  it('holds one style sheet, to the letter the one whose hash the hosts allow', () => {
    const page = renderDocument({ title: 'A <b>', author: '', meta: '', body: [] });
    const sheets = [...page.matchAll(/<style>([\s\S]*?)<\/style>/g)].map((match) => match[1]);
    expect(sheets).toEqual([REPORT_STYLE]);
    expect(page).toContain('<title>A &lt;b&gt;</title>');
  });
});
