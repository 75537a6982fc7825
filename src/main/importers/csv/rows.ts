import { CsvError, parse } from 'csv-parse';
import { FormatError } from '../../../shared/errors/index.ts';
import { unixLineEnds } from '../bytes.ts';
import type { TableRow } from '../table/row.ts';
import { MAX_UNIT_CHARS } from '../types.ts';

/**
 * Streams the rows of a delimited text, quoted cells with line ends included, empty lines left out.
 * Gives every whole row before a fault, then throws a FormatError: IMPORT_CSV_QUOTE for a quote that is
 * never closed, IMPORT_CSV_MALFORMED for anything else.
 */
export async function* csvRows(
  source: AsyncIterable<string>,
  delimiter: string,
  file: string,
): AsyncGenerator<TableRow> {
  let ready: TableRow[] = [];
  const faults: Error[] = [];
  let lastLine = 0;
  let emptyLines = 0;
  const parser = parse({
    delimiter,
    record_delimiter: '\n',
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    max_record_size: MAX_UNIT_CHARS,
    on_record: (cells: string[], info) => {
      ready.push({ cells, line: lastLine + 1 + (info.empty_lines - emptyLines) });
      lastLine = info.lines;
      emptyLines = info.empty_lines;
      return null;
    },
  });
  parser.on('error', (error) => faults.push(error));
  const take = (): TableRow[] => {
    const taken = ready;
    ready = [];
    return taken;
  };
  const throwFault = (): void => {
    const [fault] = faults;
    if (fault !== undefined) throw csvFault(fault, file, lastLine + 1);
  };
  try {
    for await (const text of unixLineEnds(source)) {
      await new Promise<void>((resolve) => parser.write(text, () => resolve()));
      yield* take();
      throwFault();
    }
    await new Promise<void>((resolve) => {
      parser.once('end', resolve).once('error', () => resolve());
      parser.resume();
      parser.end();
    });
    yield* take();
    throwFault();
  } finally {
    parser.destroy();
  }
}

function csvFault(error: Error, file: string, line: number): FormatError {
  const code = error instanceof CsvError ? error.code : '';
  if (code === 'CSV_QUOTE_NOT_CLOSED') {
    return new FormatError(
      'IMPORT_CSV_QUOTE',
      `${file}, line ${line}: the row that begins here opens a quote that is never closed.`,
      'Close the quote or save the table again; the rows before it are kept.',
      error,
    );
  }
  return new FormatError(
    'IMPORT_CSV_MALFORMED',
    `${file}, line ${line}: the row that begins here cannot be read (${error.message.slice(0, 200)}).`,
    'Correct the row or save the table again as CSV; the rows before it are kept.',
    error,
  );
}
