import type { ImportedRecord, Reject, SourceKind } from '../../shared/domain/index.ts';
import type { ColumnMap } from './table/columns.ts';
import type { TableRow } from './table/row.ts';

/**
 * What a file gives, in file order. `line` counts from 1. A tombstone lists PMIDs that PubMed has deleted:
 * records with these PMIDs are to be removed.
 */
export type ImportItem =
  | { readonly type: 'record'; readonly record: ImportedRecord; readonly line: number }
  | { readonly type: 'reject'; readonly reject: Reject }
  | { readonly type: 'tombstone'; readonly pmids: readonly string[] };

export interface ImportContext {
  /** The file's name as the user knows it; every error names it. */
  readonly name: string;
  /** Columns of a table that do not carry a known name, by what they hold. */
  readonly columns?: ColumnMap;
  /** The file itself, for formats that are not read from front to back; absent for a compressed file. */
  readonly path?: string;
  /** Told what a person should know about how the file was read, e.g. in which encoding. */
  readonly note?: ((text: string) => void) | undefined;
}

/** The first bytes of a file, decompressed, as a format looks at them. */
export interface FileHead {
  readonly bytes: Uint8Array;
  /** The same as text; `null` when the bytes are no text. */
  readonly text: string | null;
  readonly name: string;
}

/** One row of the registry: a file format that abstracts are read from. */
export interface ImportFormat {
  readonly kind: SourceKind;
  /** For messages: `PubMed XML`. */
  readonly label: string;
  /** Decides by content; a file's extension means nothing. */
  detect(head: FileHead): boolean;
  /**
   * Reads decompressed bytes once, in constant memory. Gives everything before a fault, then throws a
   * FormatError that names the file and the line.
   */
  read(bytes: AsyncIterable<Uint8Array>, context: ImportContext): AsyncIterable<ImportItem>;
  /** For formats with columns: the rows as they stand, the header first. */
  readonly rows?: (bytes: AsyncIterable<Uint8Array>, context: ImportContext) => AsyncIterable<TableRow>;
}

/** No single article, line or row of a real source comes near this; more is refused, never buffered. */
export const MAX_UNIT_CHARS = 16 * 1024 * 1024;
