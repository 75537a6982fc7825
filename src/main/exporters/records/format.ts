import type { RecordDetail } from '../../../shared/domain/index.ts';
import { recordsCsv } from './csv.ts';
import { recordsJsonl } from './jsonl.ts';
import { recordsRis } from './ris.ts';
import { recordsXlsx } from './xlsx.ts';

export interface RecordFormat {
  readonly extension: string;
  readonly mime: string;
  /** A file of these records, piece by piece; holds one record at a time. */
  write(records: Iterable<RecordDetail>): Iterable<Uint8Array>;
}

/** Every format that records are exported to; `engram import` reads them all back. */
export const RECORD_FORMATS = {
  csv: { extension: 'csv', mime: 'text/csv', write: (records) => encoded(recordsCsv(records)) },
  xlsx: {
    extension: 'xlsx',
    mime: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    write: recordsXlsx,
  },
  ris: {
    extension: 'ris',
    mime: 'application/x-research-info-systems',
    write: (records) => encoded(recordsRis(records)),
  },
  jsonl: {
    extension: 'jsonl',
    mime: 'application/jsonl',
    write: (records) => encoded(recordsJsonl(records)),
  },
} as const satisfies Readonly<Record<string, RecordFormat>>;

export type RecordFormatName = keyof typeof RECORD_FORMATS;

function* encoded(pieces: Iterable<string>): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  for (const piece of pieces) yield encoder.encode(piece);
}
