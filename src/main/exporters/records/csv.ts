import type { RecordDetail } from '../../../shared/domain/index.ts';
import { csvField } from '../csv.ts';
import { RECORD_COLUMNS } from './columns.ts';

/** UTF-8 with a byte-order mark, without which Excel takes it for Windows-1252. Formulas are neutralised. */
export function* recordsCsv(records: Iterable<RecordDetail>): Generator<string> {
  yield `\ufeff${RECORD_COLUMNS.map(([name]) => name).join(',')}\r\n`;
  for (const record of records) {
    yield `${RECORD_COLUMNS.map(([, value]) => csvField(value(record))).join(',')}\r\n`;
  }
}
