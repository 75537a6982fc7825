import type { ImportedRecord, TableField } from '../../../shared/domain/index.ts';
import {
  cleanAbstract,
  cleanDoi,
  cleanPmid,
  EMPTY_RECORD,
  oneLine,
  pmidFromUrl,
  pubmedUrl,
  recordItem,
  unique,
  yearIn,
} from '../fields.ts';
import { titleFlags } from '../flags.ts';
import type { ImportItem } from '../types.ts';
import type { ColumnPlaces } from './columns.ts';
import { splitAuthors, splitKeywords } from './lists.ts';
import type { TableRow } from './row.ts';

/** A row as a record, or as a reject with its reason. `width`: how many columns the header has. */
export function rowItem(row: TableRow, places: ColumnPlaces, width: number): ImportItem {
  const extra = row.cells.slice(width).filter((cell) => cell.trim() !== '');
  if (extra.length === 0) return recordItem(rowRecord(row.cells, places), row.line);
  const reason = `${row.cells.length} cells where the header has ${width}: a separator or quote is misplaced`;
  return { type: 'reject', reject: { line: row.line, key: (row.cells[0] ?? '').slice(0, 80), reason } };
}

function rowRecord(cells: readonly string[], places: ColumnPlaces): ImportedRecord {
  const cell = (field: TableField): string => {
    const place = places[field];
    return place === undefined ? '' : (cells[place] ?? '');
  };
  const line = (field: TableField): string => oneLine(cell(field));
  const url = line('url');
  const pmid = cleanPmid(line('pmid')) ?? pmidFromUrl(url);
  const abstract = cleanAbstract(cell('abstract'));
  const title = line('title');
  return {
    ...EMPTY_RECORD,
    pmid,
    doi: cleanDoi(line('doi')),
    title,
    abstract,
    sections: abstract === '' ? [] : [{ label: null, nlmCategory: null, text: abstract }],
    journal: line('journal'),
    year: yearIn(line('year')),
    date: line('year'),
    authors: splitAuthors(line('authors')),
    keywords: unique(splitKeywords(line('keywords'))),
    language: line('language'),
    url: url === '' ? pubmedUrl(pmid) : url,
    flags: titleFlags(title),
  };
}
