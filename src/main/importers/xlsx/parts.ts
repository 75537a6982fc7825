import { promisify } from 'node:util';
import { type Entry, open, type ZipFile } from 'yauzl';
import { EngramError, FormatError } from '../../../shared/errors/index.ts';
import { MAX_GZIP_RATIO } from '../bytes.ts';

const MAX_ENTRIES = 10_000;
/** Bytes of all parts together once unpacked: a sheet with a million rows of abstracts has about 2 GB. */
const MAX_UNPACKED_BYTES = 8 * 1024 ** 3;
/** Below this size even the emptiest part may shrink as it likes. */
const RATIO_FROM_BYTES = 64 * 1024 * 1024;

const openZip = promisify<string, object, ZipFile>((path, options, done) => {
  open(path, options, (error, zip) => done(error, zip));
});

/** The parts of a workbook, each unpacked as it is read; nothing is ever written to disk. */
export interface WorkbookParts {
  has(name: string): boolean;
  /** Bytes of a part. Throws a FormatError (IMPORT_XLSX_DAMAGED, IMPORT_XLSX_NO_PART). */
  read(name: string): AsyncGenerator<Uint8Array>;
  close(): void;
}

/**
 * Opens a workbook by its central directory. Refuses, before anything is unpacked, names that lead out of
 * the archive (IMPORT_XLSX_PATH), parts with a password, and more or larger parts than any real workbook
 * has (IMPORT_XLSX_BOMB); a part that turns out larger than the directory says ends as damaged.
 */
export async function openParts(path: string, file: string): Promise<WorkbookParts> {
  let zip: ZipFile;
  try {
    zip = await openZip(path, { lazyEntries: true, autoClose: false, strictFileNames: true });
  } catch (error) {
    throw damaged(file, error);
  }
  try {
    const entries = await entriesOf(zip, file);
    return {
      has: (name) => entries.has(name),
      read: (name) => partBytes(zip, entries.get(name), name, file),
      close: () => zip.close(),
    };
  } catch (error) {
    zip.close();
    throw error instanceof EngramError ? error : zipFault(file, error);
  }
}

async function entriesOf(zip: ZipFile, file: string): Promise<ReadonlyMap<string, Entry>> {
  if (zip.entryCount > MAX_ENTRIES) {
    throw bomb(file, `lists ${zip.entryCount} parts; the limit is ${MAX_ENTRIES}`);
  }
  const entries = new Map<string, Entry>();
  let bytes = 0;
  await new Promise<void>((resolve, reject) => {
    zip.on('entry', (entry: Entry) => {
      try {
        bytes += entry.uncompressedSize;
        checkEntry(entry, bytes, file);
        entries.set(entry.fileName, entry);
        zip.readEntry();
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
    zip.on('end', resolve);
    zip.on('error', reject);
    zip.readEntry();
  });
  return entries;
}

function checkEntry(entry: Entry, bytes: number, file: string): void {
  if (bytes > MAX_UNPACKED_BYTES) {
    throw bomb(file, `unpacks to more than ${MAX_UNPACKED_BYTES / 1024 ** 3} GB, which is the limit`);
  }
  const { uncompressedSize, compressedSize, fileName } = entry;
  if (uncompressedSize > RATIO_FROM_BYTES && uncompressedSize > compressedSize * MAX_GZIP_RATIO) {
    throw bomb(file, `has a part ${fileName} that grows to more than ${MAX_GZIP_RATIO} times its size`);
  }
  if (entry.isEncrypted()) {
    throw new FormatError(
      'IMPORT_XLSX_PASSWORD',
      `${file} is protected by a password.`,
      'Save it without one, or as CSV.',
    );
  }
}

async function* partBytes(
  zip: ZipFile,
  entry: Entry | undefined,
  name: string,
  file: string,
): AsyncGenerator<Uint8Array> {
  if (entry === undefined) {
    throw new FormatError(
      'IMPORT_XLSX_NO_PART',
      `${file} is a ZIP archive without the part ${name} of an Excel workbook.`,
      'Open it in a spreadsheet program and save it as .xlsx or CSV.',
    );
  }
  try {
    const stream: AsyncIterable<Uint8Array> = await promisify(zip.openReadStream.bind(zip))(entry);
    for await (const chunk of stream) yield chunk;
  } catch (error) {
    throw error instanceof EngramError ? error : damaged(file, error);
  }
}

function zipFault(file: string, error: unknown): FormatError {
  const message = error instanceof Error ? error.message : String(error);
  if (!/relative path|absolute path|invalid characters in fileName/.test(message))
    return damaged(file, error);
  return new FormatError(
    'IMPORT_XLSX_PATH',
    `${file} has a part whose name leads out of the archive (${message}).`,
    'Check where the file comes from; no spreadsheet program writes such names.',
    error,
  );
}

function bomb(file: string, what: string): FormatError {
  return new FormatError(
    'IMPORT_XLSX_BOMB',
    `${file} ${what}.`,
    'Save the sheet with the abstracts alone, or as CSV.',
  );
}

function damaged(file: string, error: unknown): FormatError {
  const message = error instanceof Error ? error.message : String(error);
  return new FormatError(
    'IMPORT_XLSX_DAMAGED',
    `${file} is no sound Excel workbook (${message}).`,
    'Open it in a spreadsheet program and save it again as .xlsx or CSV.',
    error,
  );
}
