import { z } from 'zod';
import { Report } from '../../../shared/domain/index.ts';
import { json, now, query } from '../rows.ts';
import type { StoreContext } from './base.ts';

const Row = z.object({ content: json(Report) });

export interface ReportRepository {
  /** Null until somebody saved one. */
  get(): Report | null;
  /** Undoable. */
  save(report: Report): Report;
}

export function createReportRepository({ db, undo }: StoreContext): ReportRepository {
  const select = query<[], typeof Row>(db, 'SELECT content FROM report WHERE id = 1', Row);
  const upsert = db.prepare(
    `INSERT INTO report (id, content, edited_at) VALUES (1, ?, ?)
     ON CONFLICT (id) DO UPDATE SET content = excluded.content, edited_at = excluded.edited_at`,
  );
  return {
    get: () => select.get()?.content ?? null,
    save: (report) =>
      undo.edit('Edit report', 'report', () => {
        upsert.run(JSON.stringify(report), now());
        return report;
      }),
  };
}
