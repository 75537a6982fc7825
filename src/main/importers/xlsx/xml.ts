import { FormatError } from '../../../shared/errors/index.ts';
import { decodeText } from '../decode.ts';
import { MAX_UNIT_CHARS } from '../types.ts';
import { XmlFault } from '../xml/fault.ts';
import { XmlScanner, type XmlEvents } from '../xml/scanner.ts';
import type { XmlAttributes } from '../xml/tag.ts';

/** What a reader of one part of a workbook wants to hear; names come without their namespace prefix. */
export interface PartHandler {
  open(name: string, attributes: XmlAttributes): void;
  close(name: string): void;
  text(text: string): void;
}

/**
 * Reads a part of a workbook, and after every chunk gives what the handler has ready.
 * Throws a FormatError (IMPORT_XLSX_DAMAGED, IMPORT_XML_TOO_LARGE).
 */
export async function* readPart<T>(
  bytes: AsyncIterable<Uint8Array>,
  part: string,
  file: string,
  handler: PartHandler,
  take: () => readonly T[],
): AsyncGenerator<T> {
  const names: string[] = [];
  const events: XmlEvents = {
    open: (name, attributes) => {
      const local = name.slice(name.indexOf(':') + 1);
      names.push(local);
      handler.open(local, attributes);
    },
    close: () => handler.close(names.pop() ?? ''),
    text: (text) => handler.text(text),
  };
  const scanner = new XmlScanner(events);
  scanner.collecting = true;
  const guarded = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      throw error instanceof XmlFault ? faulty(error, part, file) : error;
    }
  };
  for await (const text of decodeText(bytes, { name: `${file} (${part})` })) {
    guarded(() => scanner.write(text));
    if (scanner.received - scanner.position > MAX_UNIT_CHARS) guarded(() => scanner.settle());
    if (scanner.received - scanner.position > MAX_UNIT_CHARS || names.length > 64) throw endless(part, file);
    yield* take();
  }
  guarded(() => scanner.close());
  yield* take();
}

function faulty(error: XmlFault, part: string, file: string): FormatError {
  return new FormatError(
    'IMPORT_XLSX_DAMAGED',
    `${file}, part ${part}, line ${error.line}: this is not well-formed XML (${error.message}).`,
    'Open it in a spreadsheet program and save it again as .xlsx or CSV.',
    error,
  );
}

function endless(part: string, file: string): FormatError {
  return new FormatError(
    'IMPORT_XML_TOO_LARGE',
    `${file}, part ${part}: a text is longer than ${MAX_UNIT_CHARS / 1024 / 1024} million characters, or nested more than 64 deep.`,
    'Save the sheet with the abstracts alone, or as CSV.',
  );
}
