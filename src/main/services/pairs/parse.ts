import type { z } from 'zod';
import { PairLine, type Reject } from '../../../shared/domain/index.ts';
import { FormatError } from '../../../shared/errors/index.ts';
import { csvRows } from './csv.ts';

export interface ParsedPairs {
  readonly lines: readonly PairLine[];
  readonly rejected: readonly Reject[];
}

/** A pair set as text: JSON, one object a line (PAIRS.jsonl), or CSV with a header. */
export function parsePairs(text: string): ParsedPairs {
  const body = text.replace(/^\uFEFF/, '');
  return /^\s*\{/.test(body) ? parseJsonLines(body) : collect(csvRows(body));
}

/** As `parsePairs`, but the first line that is no pair is an error that names it; so is an empty file. */
export function parsePairsStrictly(text: string, name: string): readonly PairLine[] {
  const { lines, rejected } = parsePairs(text);
  const first = rejected[0];
  if (first !== undefined) {
    throw new FormatError(
      'PAIRS_LINE_INVALID',
      `${name}, line ${first.line}: ${first.reason}.`,
      'Correct the line and try again.',
    );
  }
  if (lines.length === 0) {
    throw new FormatError('PAIRS_EMPTY', `${name} holds no pairs.`, 'Write one JSON object a line.');
  }
  return lines;
}

export function formatPairs(lines: readonly PairLine[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

function parseJsonLines(text: string): ParsedPairs {
  const rows = text.split('\n').map((row, index) => ({ row: row.trim(), line: index + 1 }));
  return collect(
    rows
      .filter(({ row }) => row !== '')
      .map(({ row, line }) => {
        try {
          return { line, value: JSON.parse(row) as unknown };
        } catch {
          return { line, problem: 'not valid JSON' };
        }
      }),
  );
}

type Row = { readonly line: number; readonly value?: unknown; readonly problem?: string };

function collect(rows: readonly Row[]): ParsedPairs {
  const lines: PairLine[] = [];
  const rejected: Reject[] = [];
  const seen = new Set<string>();
  for (const { line, value, problem } of rows) {
    if (problem !== undefined) {
      rejected.push({ line, key: '', reason: problem });
      continue;
    }
    const parsed = PairLine.safeParse(value);
    if (!parsed.success) {
      rejected.push({ line, key: keyOf(value), reason: reasonOf(parsed.error) });
    } else if (seen.has(parsed.data.id)) {
      rejected.push({ line, key: parsed.data.id, reason: `the id “${parsed.data.id}” stands twice` });
    } else {
      seen.add(parsed.data.id);
      lines.push(parsed.data);
    }
  }
  return { lines, rejected };
}

function keyOf(value: unknown): string {
  if (typeof value !== 'object' || value === null || !('id' in value)) return '';
  return typeof value.id === 'string' ? value.id : '';
}

function reasonOf(error: z.ZodError): string {
  const issue = error.issues[0];
  return issue === undefined
    ? 'not a pair'
    : `${issue.path.map(String).join('.') || 'pair'}: ${issue.message}`;
}
