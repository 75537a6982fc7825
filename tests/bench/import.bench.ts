import { execFileSync } from 'node:child_process';
import { createReadStream, createWriteStream, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { z } from 'zod';
import { Peer } from './support.ts';
import { syntheticDocument } from './synthetic-pubmed.ts';

const MEGABYTE = 1e6;
const sizes = (process.env['ENGRAM_BENCH_MB'] ?? '1,20,100').split(',').map(Number);
/** Biopython holds a whole set in memory, many times its size: beyond this it is not asked. */
const MOST_FOR_BIOPYTHON = Number(process.env['ENGRAM_BENCH_BIOPYTHON_MB'] ?? '100');
/** The largest size that is also imported into a study. */
const MOST_FOR_STUDY = Number(process.env['ENGRAM_BENCH_STUDY_MB'] ?? '20');

const Answer = z.object({ ms: z.number(), records: z.number(), start_mb: z.number(), rss_mb: z.number() });

/**
 * PubMed XML from a seed: read by Engram, Biopython and pubmed_parser in one run, each in a process of its own. Reading is
 * from the file to whole records (Biopython: its dictionaries), which nobody keeps; into a study, also into SQLite.
 */
export default async function bench(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'engram-bench-import-'));
  console.log('  MB     reader                MB/s   records/s   peak MB   before   records');
  try {
    for (const size of sizes) await measure(folder, size);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(folder: string, size: number): Promise<void> {
  const path = join(folder, `${size}.xml`);
  await pipeline(Readable.from(pieces(size * MEGABYTE)), createWriteStream(path));
  await pipeline(createReadStream(path), createGzip({ level: 6 }), createWriteStream(`${path}.gz`));
  const megabytes = statSync(path).size / MEGABYTE;
  const line = (reader: string, ms: number, records: number, rss: number, start?: number): void => {
    const perSecond = (n: number) => ((n / ms) * 1000).toFixed(n === megabytes ? 1 : 0);
    console.log(
      `  ${String(size).padEnd(6)} ${reader.padEnd(18)} ${perSecond(megabytes).padStart(7)} ${perSecond(records).padStart(11)} ${rss.toFixed(0).padStart(9)} ${(start?.toFixed(0) ?? '').padStart(8)} ${String(records).padStart(9)}`,
    );
  };
  const engram = child('read', path);
  line('Engram', engram.ms, engram.records, engram.rss_mb, engram.start_mb);
  const packed = child('read', `${path}.gz`);
  line('Engram, .gz', packed.ms, packed.records, packed.rss_mb, packed.start_mb);
  for (const parser of ['biopython', 'pubmed_parser'] as const) {
    if (parser === 'biopython' && size > MOST_FOR_BIOPYTHON) continue;
    const peer = await Peer.start('pubmed_peer.py', []);
    if (peer === null) continue;
    const own = parser === 'biopython' ? engram : packed;
    // Twice, like ours: the better time of each.
    const request = { path: parser === 'biopython' ? path : `${path}.gz`, parser };
    const first = await peer.ask(request);
    const second = await peer.ask(request);
    const answer = first.ms < second.ms ? first : second;
    peer.stop();
    line(parser, answer.ms, answer.values[0] ?? 0, answer.rss_mb);
    console.log(`         Engram is ${(answer.ms / own.ms).toFixed(1)} times as fast as ${parser}`);
    if (answer.values[0] !== own.records)
      throw new Error(`${parser} found ${String(answer.values[0])} articles`);
  }
  if (size > MOST_FOR_STUDY) return;
  const study = child('study', path, join(folder, `study-${size}`));
  line('Engram, to a study', study.ms, study.records, study.rss_mb, study.start_mb);
}

function* pieces(bytes: number): Generator<string> {
  let ready = '';
  for (const piece of syntheticDocument(bytes)) {
    ready += piece;
    if (ready.length < MEGABYTE) continue;
    yield ready;
    ready = '';
  }
  yield ready;
}

function child(what: 'read' | 'study', path: string, study = ''): z.infer<typeof Answer> {
  const script = join(import.meta.dirname, '../support/read-child.ts');
  const out = execFileSync(process.execPath, [script, what, path, study], { encoding: 'utf8' });
  return Answer.parse(JSON.parse(out));
}
