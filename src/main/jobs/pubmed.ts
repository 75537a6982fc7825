import { z } from 'zod';
import { PubmedQuery, type Source, type SourceId } from '../../shared/domain/index.ts';
import { EngineError, FormatError, InvariantError, toEngramError } from '../../shared/errors/index.ts';
import {
  BATCH_PMIDS,
  efetch,
  esearch,
  type EutilsLink,
  listSlices,
  pmidOf,
  type Slice,
  wholeSlice,
} from '../importers/eutils/index.ts';
import { type JobContext, type JobDefinition, defineJob } from './definition.ts';
import { storeBatch } from './import.ts';

/** Gives the one way to PubMed of this application, with the settings and the key as they are now. */
export type PubmedGate = (signal: AbortSignal, tell: (message: string) => void) => EutilsLink;

const Params = z.object({ query: PubmedQuery });
type Context = JobContext<z.output<typeof Params>>;
export type PubmedJob = JobDefinition<typeof Params>;

/** Batches in a row without a single article: PubMed is out of order, not empty. */
const MOST_EMPTY = 3;

/**
 * Imports every article of a PubMed search. First all PMIDs are listed, slice by slice, then fetched in
 * batches; each slice and each batch is committed as it comes, so that an interrupted search goes on with the
 * PMIDs that are still wanted, whatever became of the server's memory of it.
 */
export function pubmedJob(gate: PubmedGate): PubmedJob {
  return defineJob({
    kind: 'pubmed-search',
    params: Params,
    heavy: false,
    title: ({ query }) => `PubMed search ${shortened(query)}`,
    onStatus: (status, _params, study, jobId) => {
      if (status === 'stopped') study.sources.interrupt(jobId);
    },
    run: async (context) => {
      const { study, signal, log } = context;
      const source = await begin(context, gate(signal, log));
      const link = gate(signal, (message) => {
        log(message);
        const done = study.pubmed.count(source.id, 'stored');
        context.progress(done, null, 'articles', message);
      });
      try {
        await list(context, link, source.id);
        await fetchWanted(context, link, source);
        await fetchAbsent(context, link, source);
      } catch (error) {
        const message = signal.aborted ? 'The import was interrupted.' : toEngramError(error).message;
        study.sources.setStatus(source.id, 'incomplete', message);
        announce(context);
        throw error;
      }
      study.sources.setStatus(source.id, 'complete', null);
      announce(context);
      return outcomeOf(context, source.id);
    },
  });
}

/** The source of an earlier attempt of this job, or a new one with what PubMed says of the query now. */
async function begin(context: Context, link: EutilsLink): Promise<Source> {
  const { study, params, jobId, log } = context;
  const begun = study.pubmed.ofJob(jobId);
  if (begun !== undefined) {
    study.sources.assign(begun, jobId, 0);
    return study.sources.get(begun);
  }
  const { count, translation, warnings } = await esearch(link, params.query, null, 0);
  log(`${count.toLocaleString('en')} articles match ${translation}`);
  for (const warning of warnings) log(warning);
  return study.transaction(() => {
    const source = study.sources.begin(`PubMed: ${shortened(params.query)}`, 'pubmed-search', null);
    study.sources.assign(source.id, jobId, 0);
    const lastDay = wholeSlice().to;
    study.pubmed.begin(source.id, { query: params.query, translation, count, lastDay });
    return source;
  });
}

async function list(context: Context, link: EutilsLink, id: SourceId): Promise<void> {
  const { study, log, progress } = context;
  const search = study.pubmed.find(id);
  if (search === undefined) throw new InvariantError(`source ${id} is no search of PubMed`);
  if (search.listed) return;
  const { count, query, lastDay } = search;
  const known = () => study.pubmed.count(id, 'wanted');
  const whole: Slice = { ...wholeSlice(), to: lastDay };
  const done = (slice: Slice) => study.pubmed.hasSlice(id, sliceName(slice));
  for await (const { slice, count: n, pmids } of listSlices(link, query, whole, done)) {
    study.pubmed.addSlice(id, sliceName(slice), n, pmids);
    progress(known(), count, 'PMIDs listed', `${n.toLocaleString('en')} articles ${sliceName(slice)}`);
  }
  const listed = known();
  if (listed === 0 && count > 0) {
    throw new EngineError(
      'PUBMED_EMPTY',
      `PubMed counts ${count.toLocaleString('en')} articles for the search and lists none.`,
      'Continue later; nothing is lost.',
    );
  }
  if (listed !== count) {
    log(`${listed.toLocaleString('en')} PMIDs are listed; ${count.toLocaleString('en')} matched at first.`);
  }
  study.pubmed.finishListing(id);
}

async function fetchWanted(context: Context, link: EutilsLink, source: Source): Promise<void> {
  const { study } = context;
  let empty = 0;
  for (;;) {
    const asked = study.pubmed.next(source.id, 'wanted', BATCH_PMIDS);
    if (asked.length === 0) return;
    const { items, missing } = await efetch(link, asked);
    empty = items.length === 0 ? empty + 1 : 0;
    if (empty === MOST_EMPTY) {
      study.pubmed.mark(
        source.id,
        study.pubmed.next(source.id, 'absent', MOST_EMPTY * BATCH_PMIDS),
        'wanted',
      );
      throw emptyAnswers();
    }
    study.transaction(() => {
      storeBatch(context, source, items);
      study.pubmed.mark(source.id, without(asked, missing), 'stored');
      study.pubmed.mark(source.id, missing, 'absent');
    });
    tellProgress(context, source.id);
  }
}

/** What did not come is asked for once more, beside an article that did come: only then it is missing. */
async function fetchAbsent(context: Context, link: EutilsLink, source: Source): Promise<void> {
  const { study, log } = context;
  for (;;) {
    const asked = study.pubmed.next(source.id, 'absent', BATCH_PMIDS - 1);
    if (asked.length === 0) return;
    const [control] = study.pubmed.next(source.id, 'stored', 1);
    if (control === undefined) throw emptyAnswers();
    const { items, missing } = await efetch(link, [...asked, control]);
    if (missing.includes(control)) throw emptyAnswers();
    study.transaction(() => {
      storeBatch(
        context,
        source,
        items.filter((item) => pmidOf(item) !== control),
      );
      study.pubmed.mark(source.id, without(asked, missing), 'stored');
      study.pubmed.mark(source.id, missing, 'missing');
    });
    if (missing.length > 0)
      log(`PubMed lists ${missing.length} articles that it does not give: ${missing.join(', ')}`);
    tellProgress(context, source.id);
  }
}

function emptyAnswers(): FormatError {
  return new FormatError(
    'PUBMED_ANSWER_INVALID',
    'PubMed answers with sets that hold no articles, for articles that it lists.',
    'Continue later; what has arrived is kept.',
  );
}

function tellProgress({ study, progress }: Context, id: SourceId): void {
  const summary = study.pubmed.summary(id);
  if (summary === undefined) return;
  const { listed, fetched, missing } = summary;
  progress(fetched + missing, listed, 'articles', `${fetched.toLocaleString('en')} articles fetched`);
}

function outcomeOf({ study }: Context, id: SourceId) {
  const { read, added, duplicates, rejected } = study.sources.get(id);
  const missing = study.pubmed.count(id, 'missing');
  const n = (value: number) => value.toLocaleString('en');
  const counts = `${n(read)} read, ${n(added)} added, ${n(duplicates)} duplicates, ${n(rejected)} rejected`;
  return {
    summary: missing === 0 ? counts : `${counts}, ${n(missing)} listed by PubMed but not given`,
    result: { read, added, duplicates, rejected, missing, sources: [id] },
  };
}

function sliceName({ from, to, lowest, highest }: Slice): string {
  return `${from} to ${to}${lowest === null || highest === null ? '' : `, PMID ${lowest} to ${highest}`}`;
}

function without(all: readonly string[], some: readonly string[]): string[] {
  const left = new Set(some);
  return all.filter((value) => !left.has(value));
}

function shortened(query: string): string {
  const line = query.replace(/\s+/g, ' ');
  return line.length > 80 ? `${line.slice(0, 79)}…` : line;
}

function announce({ emit }: Context): void {
  emit('changed', { what: 'sources' });
  emit('changed', { what: 'records' });
}
