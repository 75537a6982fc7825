import { open, type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import type { SourceKind } from '../../shared/domain/index.ts';
import { CancelledError, FormatError, UserInputError } from '../../shared/errors/index.ts';
import { gunzip, gunzipHead, isGzip } from './bytes.ts';
import { bomEncoding, unmarkedUtf16 } from './decode.ts';
import type { ColumnMap } from './table/columns.ts';
import type { TableRow } from './table/row.ts';
import { rootElement } from './pubmed-xml.ts';
import { detectFormat, IMPORT_FORMATS, unsupported } from './registry.ts';
import type { FileHead, ImportContext, ImportFormat, ImportItem } from './types.ts';

export interface OpenOptions {
  /** The name that errors use; default: the file's own. */
  readonly name?: string;
  /** Ends the reading between two items with a CancelledError. */
  readonly signal?: AbortSignal;
  readonly columns?: ColumnMap;
  /** Told what a person should know about how the file was read. */
  readonly note?: (text: string) => void;
}

export interface OpenImport {
  readonly kind: SourceKind;
  /** The format in words, e.g. `PubMed XML`. */
  readonly label: string;
  readonly name: string;
  /** The content in file order; can be read once. Closing the iterator early closes the file. */
  readonly items: AsyncIterable<ImportItem>;
  /** For a table: its rows as they stand, the header first; can be read once, instead of `items`. */
  readonly rows: AsyncIterable<TableRow> | null;
  /** Size of the file on disk. */
  readonly bytesTotal: number;
  /** Bytes of the file taken so far, of `bytesTotal`. */
  bytesRead(): number;
}

/**
 * Opens a file of abstracts, plain or gzip-compressed, whatever it is called.
 *
 * Throws a UserInputError (IMPORT_FILE_MISSING, IMPORT_FILE_UNREADABLE) when it cannot be read and a
 * FormatError (IMPORT_FORMAT, IMPORT_XML_NOT_PUBMED, …) when it holds no format of the registry. Faults
 * further in come from `items`, after everything that could be read before them; a file without a single
 * article is one of them (IMPORT_EMPTY).
 */
export async function openImport(path: string, options: OpenOptions = {}): Promise<OpenImport> {
  const name = options.name ?? basename(path);
  const { raw, bytesTotal } = await readHead(path, name);
  const compressed = isGzip(raw);
  const bytes = compressed ? gunzipHead(raw, name) : raw;
  const format = chooseFormat({ bytes, text: headText(bytes), name });
  const counter = { bytes: 0 };
  const { signal, columns, note } = options;
  const source = (): AsyncIterable<Uint8Array> => {
    const file = fileBytes(path, name, counter, signal);
    return compressed ? gunzip(file, name) : file;
  };
  const context: ImportContext = {
    name,
    note,
    ...(columns === undefined ? {} : { columns }),
    ...(compressed ? {} : { path }),
  };
  return {
    kind: format.kind,
    label: format.label,
    name,
    bytesTotal,
    bytesRead: () => counter.bytes,
    items: wholeItems(format, source, context, signal, () => (counter.bytes = bytesTotal)),
    rows: format.rows === undefined ? null : format.rows(lazy(source), context),
  };
}

async function* lazy(source: () => AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* source();
}

async function* wholeItems(
  format: ImportFormat,
  source: () => AsyncIterable<Uint8Array>,
  context: ImportContext,
  signal: AbortSignal | undefined,
  done: () => void,
): AsyncGenerator<ImportItem> {
  const { name } = context;
  let empty = true;
  for await (const item of format.read(source(), context)) {
    stopIfAborted(signal, name);
    empty = false;
    yield item;
  }
  done();
  if (empty) {
    throw new FormatError(
      'IMPORT_EMPTY',
      `${name} is ${format.label}, but holds no articles.`,
      'Check the search or export that made it.',
    );
  }
}

const CHUNK_BYTES = 256 * 1024;

async function* fileBytes(
  path: string,
  name: string,
  counter: { bytes: number },
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  // One buffer is filled while the other is read: whoever takes a chunk is done with it before asking for the next.
  const buffers = [new Uint8Array(CHUNK_BYTES), new Uint8Array(CHUNK_BYTES)] as const;
  let file: FileHandle | null = null;
  let filling: Promise<{ bytesRead: number }> | null = null;
  try {
    file = await open(path, 'r');
    let [buffer, other] = buffers;
    filling = file.read(buffer, 0, CHUNK_BYTES, null);
    for (;;) {
      const { bytesRead } = await filling;
      if (bytesRead === 0) return;
      stopIfAborted(signal, name);
      counter.bytes += bytesRead;
      filling = file.read(other, 0, CHUNK_BYTES, null);
      filling.catch(() => undefined);
      yield buffer.subarray(0, bytesRead);
      [buffer, other] = [other, buffer];
    }
  } catch (error) {
    throw error instanceof Error && 'syscall' in error ? unreadable(error, name) : error;
  } finally {
    await filling?.catch(() => undefined);
    await file?.close();
  }
}

function stopIfAborted(signal: AbortSignal | undefined, name: string): void {
  if (signal?.aborted === true) throw new CancelledError(`The import of ${name}`);
}

const HEAD_BYTES = 64 * 1024;

async function readHead(path: string, name: string): Promise<{ raw: Uint8Array; bytesTotal: number }> {
  let file: FileHandle | null = null;
  try {
    file = await open(path, 'r');
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read(new Uint8Array(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return { raw: buffer.subarray(0, bytesRead), bytesTotal: size };
  } catch (error) {
    throw unreadable(error, name);
  } finally {
    await file?.close();
  }
}

function unreadable(error: unknown, name: string): UserInputError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ENOENT') {
    return new UserInputError('IMPORT_FILE_MISSING', `There is no file ${name}.`, 'Check its path.', error);
  }
  if (code === 'EISDIR') {
    const message = `${name} is a folder, not a file.`;
    return new UserInputError('IMPORT_FILE_UNREADABLE', message, 'Choose the files in it.', error);
  }
  return new UserInputError(
    'IMPORT_FILE_UNREADABLE',
    `${name} cannot be read (${code === '' ? String(error) : code}).`,
    'Check that the file is there and that you may read it.',
    error,
  );
}

/** The head as text, a character cut at its end left out; null for binary content. */
function headText(bytes: Uint8Array): string | null {
  const announced = bomEncoding(bytes) ?? unmarkedUtf16(bytes);
  if (announced === null && bytes.includes(0)) return null;
  return new TextDecoder(announced ?? 'utf-8').decode(bytes, { stream: true });
}

function chooseFormat(head: FileHead): ImportFormat {
  const format = detectFormat(head);
  if (format !== null) return format;
  const known = IMPORT_FORMATS.map(({ label }) => label).join(', ');
  const found = unsupported(head);
  const root = head.text === null ? null : rootElement(head.text);
  if (found !== null) {
    const named = found.code === undefined || root === null ? '' : ` (its root is <${root}>)`;
    throw new FormatError(found.code ?? 'IMPORT_FORMAT', `${head.name} ${found.what}${named}.`, found.next);
  }
  if (root !== null) {
    throw new FormatError(
      'IMPORT_XML_NOT_PUBMED',
      `${head.name} is XML, but its root is <${root}>, not a set of PubMed articles.`,
      'Save the search from PubMed as XML (PubmedArticleSet).',
    );
  }
  throw new FormatError(
    'IMPORT_FORMAT',
    `${head.name} is none of the formats that can be imported (${known}).`,
    'Save the search from PubMed as XML, or as a CSV with an Abstract column.',
  );
}
