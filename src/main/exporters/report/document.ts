import { html, type Markup, trusted } from './html.ts';
import { REPORT_STYLE } from './style.ts';

export interface ReportDocument {
  readonly title: string;
  readonly author: string;
  /** Date, study and version, in one line. */
  readonly meta: string;
  readonly body: readonly Markup[];
}

/** Nothing is loaded from anywhere: no scripts, no fonts, no images but those inside. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/** One HTML file that stands alone. */
export function renderDocument({ title, author, meta, body }: ReportDocument): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="${POLICY}" />
        <title>${title}</title>
        ${trusted(`<style>${REPORT_STYLE}</style>`)}
      </head>
      <body>
        <main>
          <h1>${title}</h1>
          ${author === '' ? null : html`<p class="meta">${author}</p>`}
          <p class="meta">${meta}</p>
          ${body}
        </main>
      </body>
    </html> `.text;
}

export type Cell = string | number | boolean | null;

/** A table; numbers stand to the right and are written by `format`. */
export function renderTable(
  columns: readonly string[],
  rows: readonly (readonly Cell[])[],
  caption: string | null = null,
  format: (value: number) => string = String,
): Markup {
  const numeric = columns.map((_, i) => rows.some((row) => typeof row[i] === 'number'));
  const cell = (value: Cell): string =>
    value === null
      ? '–'
      : typeof value === 'number'
        ? format(value)
        : typeof value === 'boolean'
          ? value
            ? 'yes'
            : 'no'
          : value;
  const kind = (i: number): string => (numeric[i] === true ? 'n' : 't');
  return html`<div class="wide">
    <table>
      ${
        caption === null
          ? null
          : html`<caption>
              ${caption}
            </caption>`
      }
      <thead>
        <tr>
          ${columns.map((name, i) => html`<th scope="col" class="${kind(i)}">${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${row.map((value, i) => html`<td class="${kind(i)}">${cell(value)}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** A figure drawn as SVG, its caption, and its numbers folded away beneath it. */
export function renderFigureBlock(svg: string, caption: string, numbers: Markup | null): Markup {
  return html`<figure role="group">
      ${trusted(svg)}
      <figcaption>${caption}</figcaption>
    </figure>
    ${
      numbers === null
        ? null
        : html`<details>
            <summary>Numbers</summary>
            ${numbers}
          </details>`
    }`;
}

/** Paragraphs of a user's own text: blank lines separate them. */
export function renderProse(text: string): Markup {
  return html`${text
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.trim())
    .filter((paragraph) => paragraph !== '')
    .map((paragraph) => html`<p>${paragraph}</p>`)}`;
}

export function renderFlag(text: string): Markup {
  return html`<p class="flag">${text}</p>`;
}
