import type { TableColumn, TableField } from '../../../shared/domain/index.ts';
import { EngramError } from '../../../shared/errors/index.ts';
import { openImport, type OpenOptions } from '../open.ts';
import { fieldOfColumn } from './columns.ts';

const ROWS = 4;
const SAMPLE_CHARS = 160;

/**
 * The columns of a table with their first values, for the person who says what each holds. `columns` is null
 * for a format that has none. Throws as `openImport` does.
 */
export async function previewTable(
  path: string,
  options: OpenOptions = {},
): Promise<{ readonly label: string; readonly columns: TableColumn[] | null }> {
  const { rows, label } = await openImport(path, options);
  if (rows === null) return { label, columns: null };
  const found: (readonly string[])[] = [];
  try {
    for await (const { cells } of rows) {
      found.push(cells);
      if (found.length > ROWS) break;
    }
  } catch (error) {
    // A fault below the header is for the import to report.
    if (!(error instanceof EngramError) || found.length === 0) throw error;
  }
  const [header = [], ...body] = found;
  const taken = new Set<TableField>();
  const columns = header.map((name, i) => {
    const field = fieldOfColumn(name);
    const first = field !== null && !taken.has(field);
    if (first) taken.add(field);
    return {
      name: name.trim(),
      field: first ? field : null,
      samples: body.map((cells) => (cells[i] ?? '').replace(/\s+/g, ' ').trim().slice(0, SAMPLE_CHARS)),
    };
  });
  return { label, columns };
}
