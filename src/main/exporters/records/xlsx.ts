import { strToU8, Zip, ZipDeflate } from 'fflate';
import type { RecordDetail } from '../../../shared/domain/index.ts';
import { UserInputError } from '../../../shared/errors/index.ts';
import type { CsvValue } from '../csv.ts';
import { RECORD_COLUMNS } from './columns.ts';

/** What Excel keeps of a text in a cell, and of rows in a sheet. */
const CELL_CHARS = 32_767;
const MAX_ROWS = 1_048_576;

/** Characters that XML has not: controls, and halves of surrogate pairs. */
const NOT_XML = new RegExp(String.raw`[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Surrogate}`, 'gu');

const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const RELATIONS = 'http://schemas.openxmlformats.org/package/2006/relationships';
const OFFICE = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const TYPES = 'application/vnd.openxmlformats-officedocument.spreadsheetml';
const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';

const PARTS: readonly (readonly [string, string])[] = [
  [
    '[Content_Types].xml',
    `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="${TYPES}.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="${TYPES}.worksheet+xml"/></Types>`,
  ],
  [
    '_rels/.rels',
    `<Relationships xmlns="${RELATIONS}"><Relationship Id="rId1" Type="${OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
  ],
  [
    'xl/workbook.xml',
    `<workbook xmlns="${MAIN}" xmlns:r="${OFFICE}"><sheets><sheet name="Records" sheetId="1" r:id="rId1"/></sheets></workbook>`,
  ],
  [
    'xl/_rels/workbook.xml.rels',
    `<Relationships xmlns="${RELATIONS}"><Relationship Id="rId1" Type="${OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
  ],
];

/**
 * An Excel workbook with one sheet. Texts are written as texts, never as formulas; one that is longer than a
 * cell holds is cut there and ends in `…`. Throws a UserInputError (EXPORT_XLSX_ROWS) beyond the rows of a sheet.
 */
export function* recordsXlsx(records: Iterable<RecordDetail>): Generator<Uint8Array> {
  let ready: Uint8Array[] = [];
  const faults: Error[] = [];
  const zip = new Zip((error, chunk) => {
    if (error !== null) faults.push(error);
    else ready.push(chunk);
  });
  const take = (): Uint8Array[] => {
    if (faults[0] !== undefined) throw faults[0];
    const taken = ready;
    ready = [];
    return taken;
  };
  for (const [name, text] of PARTS) {
    const part = new ZipDeflate(name);
    zip.add(part);
    part.push(strToU8(XML + text), true);
    yield* take();
  }
  const sheet = new ZipDeflate('xl/worksheets/sheet1.xml', { level: 6 });
  zip.add(sheet);
  sheet.push(strToU8(`${XML}<worksheet xmlns="${MAIN}"><sheetData>`));
  sheet.push(
    strToU8(
      row(
        RECORD_COLUMNS.map(([name]) => name),
        1,
      ),
    ),
  );
  let number = 1;
  for (const record of records) {
    number += 1;
    if (number > MAX_ROWS) throw tooMany();
    sheet.push(
      strToU8(
        row(
          RECORD_COLUMNS.map(([, value]) => value(record)),
          number,
        ),
      ),
    );
    yield* take();
  }
  sheet.push(strToU8('</sheetData></worksheet>'), true);
  zip.end();
  yield* take();
}

function row(values: readonly CsvValue[], number: number): string {
  const cells = values.map((value) => {
    if (value === null || value === '') return '<c/>';
    if (typeof value === 'number') return `<c><v>${value}</v></c>`;
    return `<c t="inlineStr"><is><t xml:space="preserve">${escaped(String(value))}</t></is></c>`;
  });
  return `<row r="${number}">${cells.join('')}</row>`;
}

function escaped(text: string): string {
  const whole = text.length <= CELL_CHARS ? text : `${text.slice(0, CELL_CHARS - 1)}…`;
  return whole
    .replace(/_(?=x[0-9A-Fa-f]{4}_)/g, '_x005F_')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(NOT_XML, '');
}

function tooMany(): UserInputError {
  return new UserInputError(
    'EXPORT_XLSX_ROWS',
    `A sheet holds ${MAX_ROWS.toLocaleString('en')} rows; there are more records than that.`,
    'Narrow the list, or export CSV or JSON Lines.',
  );
}
