import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { strToU8, unzipSync, zipSync } from 'fflate';
import { openImport, previewTable } from '../../src/main/importers/index.ts';
import { ImportedRecord } from '../../src/shared/domain/index.ts';
import { EngramError } from '../../src/shared/errors/index.ts';
import { syntheticSet } from '../bench/synthetic-pubmed.ts';
import { article, articleSet, workbook } from '../unit/importers/support.ts';
import { mutated, randomFrom } from './mutate.ts';

/** No input of this size takes a tenth of it. */
const HANG_MS = 10_000;

export interface FuzzResult {
  readonly inputs: number;
  readonly records: number;
  readonly rejects: number;
  /** How often each error code ended an import; `none` = read to the end. */
  readonly codes: Record<string, number>;
  readonly slowestMs: number;
  /** Growth of the heap from a tenth of the run to its end, after collections where `gc` is exposed. */
  readonly heapGrowthMb: number;
}

/** Texts of every format: our own, and where they are there the shared fixtures. */
export function fuzzSeeds(): Uint8Array[] {
  const { open, close, articles } = syntheticSet(7);
  const rows = [
    ['PMID', 'Title', 'Abstract', 'Year'],
    ['1', 'T, with "quotes"', 'A\nB', '2020'],
    ['2', 'É', 'μV', ''],
  ];
  const own = [
    open + articles.next().value + close,
    articleSet(
      article({ article: '<VernacularTitle>V</VernacularTitle>' }),
      '<DeleteCitation><PMID>3</PMID></DeleteCitation>',
    ),
    'PMID- 1\nLR  - 20240101\nTI  - A title\n      wrapped\nAB  - Text\nMH  - *A/b/*c\nAID - 10.1/x [doi]\n\nPMID- 2\nAB  - B\n',
    'TY  - JOUR\r\nTI  - A\r\nAB  - Text\r\nmore\r\nUR  - https://doi.org/10.1/x\r\nER  - \r\n\r\nTY  - BOOK\r\nN2  - B\r\n',
    rows.map((row) => row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',')).join('\r\n'),
    `sep=;\n${rows.map((row) => row.join(';')).join('\n')}`,
    '{"pmid":1,"title":"A","abstract":"B","keywords":"a;b","mesh":[],"year":"2020"}\n{"abstract":null}\n',
  ].map((text) => strToU8(text));
  const folder = join(import.meta.dirname, '../../../shared/data');
  const shared = existsSync(folder)
    ? globSync(join(folder, 'fixtures/*/*.{xml,csv,ris}'))
        .sort()
        .map((path) => readFileSync(path))
        .filter((bytes) => bytes.length < 60_000)
    : [];
  // As many of each of our own as there are shared ones of a format.
  const ours = [...own, workbook(rows), workbook(rows), gzipSync(own[0] ?? '')];
  return [...Array.from({ length: 12 }, () => ours).flat(), ...shared];
}

/**
 * Imports mutated inputs one after another. Throws at the first that ends in anything but an EngramError, in a
 * record that is none, or not at all; the message gives what is needed to see it again.
 */
export async function fuzzImports(
  count: number,
  seed: number,
  report?: (done: number) => void,
): Promise<FuzzResult> {
  const seeds = fuzzSeeds();
  const folder = mkdtempSync(join(tmpdir(), 'engram-fuzz-'));
  const codes: Record<string, number> = {};
  let records = 0;
  let rejects = 0;
  let slowestMs = 0;
  let heapAtTenth = 0;
  const strays: unknown[] = [];
  const stray = (error: unknown): void => void strays.push(error);
  process.on('unhandledRejection', stray);
  try {
    for (let i = 0; i < count; i += 1) {
      const random = randomFrom(seed * 1_000_003 + i);
      const bytes = inputOf(seeds[i % seeds.length] ?? new Uint8Array(), random);
      const path = join(folder, 'input');
      writeFileSync(path, bytes);
      const begun = performance.now();
      try {
        const found = await imported(path);
        records += found.records;
        rejects += found.rejects;
        codes[found.code] = (codes[found.code] ?? 0) + 1;
      } catch (error) {
        throw new Error(
          `input ${i} of seed ${seed}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
          { cause: error },
        );
      }
      slowestMs = Math.max(slowestMs, performance.now() - begun);
      if (strays.length > 0) throw new Error(`input ${i} of seed ${seed}: unhandled ${String(strays[0])}`);
      if (i === Math.floor(count / 10)) heapAtTenth = heapMb();
      if (i % 1000 === 999) report?.(i + 1);
    }
  } finally {
    process.off('unhandledRejection', stray);
    rmSync(folder, { recursive: true, force: true });
  }
  return { inputs: count, records, rejects, codes, slowestMs, heapGrowthMb: heapMb() - heapAtTenth };
}

function heapMb(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 1024 / 1024;
}

/** A mutated seed; of a workbook, as often as not, one part mutated and packed again. */
function inputOf(seed: Uint8Array, random: () => number): Uint8Array {
  if (seed[0] === 0x50 && seed[1] === 0x4b && random() < 0.7) {
    const parts = unzipSync(seed);
    const names = Object.keys(parts);
    const name = names[Math.floor(random() * names.length)] ?? '';
    return zipSync({ ...parts, [name]: mutated(parts[name] ?? new Uint8Array(), random) });
  }
  const bytes = mutated(seed, random);
  return random() < 0.05 ? gzipSync(bytes) : bytes;
}

async function imported(path: string): Promise<{ code: string; records: number; rejects: number }> {
  const stop = AbortSignal.timeout(HANG_MS);
  let records = 0;
  let rejects = 0;
  try {
    await previewTable(path);
    const { items } = await openImport(path, { name: 'input', signal: stop });
    for await (const item of items) {
      if (item.type === 'reject') rejects += 1;
      if (item.type !== 'record') continue;
      ImportedRecord.parse(item.record);
      records += 1;
    }
    return { code: 'none', records, rejects };
  } catch (error) {
    if (!(error instanceof EngramError) || error.kind === 'invariant' || error.kind === 'cancelled')
      throw error;
    if (error.kind === 'format' && !error.message.includes('input')) {
      throw new Error(`the message does not name the file: ${error.message}`, { cause: error });
    }
    return { code: error.code, records, rejects };
  }
}
