import type { RecordDetail } from '../../../shared/domain/index.ts';

/** All that Engram knows of each record, one object a line, without the numbers of this study. */
export function* recordsJsonl(records: Iterable<RecordDetail>): Generator<string> {
  for (const record of records) {
    const { id: _id, sourceId: _source, duplicateOf: _of, copies: _copies, ...rest } = record;
    yield `${JSON.stringify(rest)}\n`;
  }
}
