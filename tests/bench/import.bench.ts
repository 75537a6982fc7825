import { execFileSync } from 'node:child_process';
import {
  createReadStream,
  createWriteStream,
  globSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { z } from 'zod';
import { Peer } from './support.ts';
import { syntheticDocument, syntheticSet } from './synthetic-pubmed.ts';

const MEGABYTE = 1e6;
/** How much of the real articles, repeated. */
const REAL_BYTES = 95 * MEGABYTE;
const sizes = (process.env['ENGRAM_BENCH_MB'] ?? '1,20,100').split(',').map(Number);
/** Biopython holds a whole set in memory, many times its size: beyond this it is not asked. */
const MOST_FOR_BIOPYTHON = Number(process.env['ENGRAM_BENCH_BIOPYTHON_MB'] ?? '100');
/** The largest size that is also imported into a study. */
const MOST_FOR_STUDY = Number(process.env['ENGRAM_BENCH_STUDY_MB'] ?? '20');

const Answer = z.object({
  ms: z.number(),
  first_ms: z.number(),
  records: z.number(),
  start_mb: z.number(),
  rss_mb: z.number(),
});

/**
 * PubMed XML from a seed, and real articles repeated where the shared fixtures are: read by Engram, Biopython and pubmed_parser in one run, each in a process of its own. Reading is
 * from the file to whole records (Biopython: its dictionaries), which nobody keeps; into a study, also into SQLite.
 */
export default async function bench(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'engram-bench-import-'));
  console.log('  MB     reader                MB/s   records/s   peak MB   before   records');
  try {
    for (const size of sizes) await measure(folder, String(size), pieces(size * MEGABYTE));
    const real = realArticles();
    if (real !== null) await measure(folder, 'real', repeated(real));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The articles of the shared fixtures (beside the repository, where they are), one after another. */
function realArticles(): string | null {
  const files = globSync(join(import.meta.dirname, '../../../shared/data/fixtures/*/*.xml')).sort();
  const articles = files.flatMap(
    (file) => readFileSync(file, 'utf8').match(/<PubmedArticle>.*?<\/PubmedArticle>/gs) ?? [],
  );
  return articles.length === 0 ? null : articles.join('\n');
}

function* repeated(articles: string): Generator<string> {
  const { open, close } = syntheticSet();
  yield open;
  for (let bytes = 0; bytes < REAL_BYTES; bytes += articles.length) yield `${articles}\n`;
  yield close;
}

async function measure(folder: string, name: string, content: Iterable<string>): Promise<void> {
  const path = join(folder, `${name}.xml`);
  await pipeline(Readable.from(content), createWriteStream(path));
  await pipeline(createReadStream(path), createGzip({ level: 6 }), createWriteStream(`${path}.gz`));
  const megabytes = statSync(path).size / MEGABYTE;
  const line = (reader: string, ms: number, records: number, rss: number, start?: number): void => {
    const perSecond = (n: number) => ((n / ms) * 1000).toFixed(n === megabytes ? 1 : 0);
    console.log(
      `  ${name.padEnd(6)} ${reader.padEnd(18)} ${perSecond(megabytes).padStart(7)} ${perSecond(records).padStart(11)} ${rss.toFixed(0).padStart(9)} ${(start?.toFixed(0) ?? '').padStart(8)} ${String(records).padStart(9)}`,
    );
  };
  const rounds = roundsFor(megabytes);
  const engram = child('read', path, rounds);
  line('Engram', engram.ms, engram.records, engram.rss_mb, engram.start_mb);
  if (rounds > 2) line('  the first time', engram.first_ms, engram.records, engram.rss_mb);
  const packed = child('read', `${path}.gz`, rounds);
  line('Engram, .gz', packed.ms, packed.records, packed.rss_mb, packed.start_mb);
  for (const parser of ['biopython', 'pubmed_parser'] as const) {
    if (parser === 'biopython' && megabytes > MOST_FOR_BIOPYTHON * 1.01) continue;
    const peer = await Peer.start('pubmed_peer.py', []);
    if (peer === null) continue;
    const own = parser === 'biopython' ? engram : packed;
    // As often as ours: the best time of each.
    const request = { path: parser === 'biopython' ? path : `${path}.gz`, parser };
    let answer = await peer.ask(request);
    for (let round = 1; round < rounds; round += 1) {
      const next = await peer.ask(request);
      if (next.ms < answer.ms) answer = { ...next, rss_mb: answer.rss_mb };
    }
    peer.stop();
    line(parser, answer.ms, answer.values[0] ?? 0, answer.rss_mb);
    console.log(`         Engram is ${(answer.ms / own.ms).toFixed(1)} times as fast as ${parser}`);
    if (answer.values[0] !== own.records)
      throw new Error(`${parser} found ${String(answer.values[0])} articles`);
  }
  if (megabytes > MOST_FOR_STUDY * 1.01) return;
  const study = child('study', path, 1, join(folder, `study-${name}`));
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

/** A small file is read often, so that the times are not those of compiling; a large one once. */
function roundsFor(megabytes: number): number {
  if (megabytes < 5) return 10;
  return megabytes < 200 ? 2 : 1;
}

function child(what: 'read' | 'study', path: string, rounds: number, study = ''): z.infer<typeof Answer> {
  const script = join(import.meta.dirname, '../support/read-child.ts');
  const out = execFileSync(process.execPath, [script, what, path, String(rounds), study], {
    encoding: 'utf8',
  });
  return Answer.parse(JSON.parse(out));
}
