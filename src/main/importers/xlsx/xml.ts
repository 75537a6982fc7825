import { FormatError } from '../../../shared/errors/index.ts';
import { utf8Bytes } from '../decode.ts';
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

/** Sheets nest about 6 deep. */
const MAX_DEPTH = 64;

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
    leaf: (name, attributes, text) => {
      events.open(name, attributes);
      if (text !== '') events.text(text);
      events.close();
    },
  };
  const scanner = new XmlScanner(events, MAX_DEPTH);
  scanner.collecting = true;
  const guarded = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      if (!(error instanceof XmlFault)) throw error;
      throw error.kind === 'deep' ? endless(part, file) : faulty(error, part, file);
    }
  };
  for await (const chunk of utf8Bytes(bytes, { name: `${file} (${part})` })) {
    guarded(() => scanner.write(chunk));
    if (scanner.received - scanner.position > MAX_UNIT_CHARS) guarded(() => scanner.settle());
    if (scanner.received - scanner.position > MAX_UNIT_CHARS) throw endless(part, file);
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
    `${file}, part ${part}: a text is longer than ${MAX_UNIT_CHARS / 1024 / 1024} million bytes, or nested more than ${MAX_DEPTH} deep.`,
    'Save the sheet with the abstracts alone, or as CSV.',
  );
}
