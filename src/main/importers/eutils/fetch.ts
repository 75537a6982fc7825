import { FormatError } from '../../../shared/errors/index.ts';
import { pubmedXml } from '../pubmed-xml.ts';
import type { ImportItem } from '../types.ts';
import { backendFault, damaged, Passing, refused } from './errors.ts';
import { ask, type EutilsLink } from './request.ts';

/** Articles asked for at once. */
export const BATCH_PMIDS = 200;

export interface FetchedBatch {
  readonly items: readonly ImportItem[];
  /** Asked for and not in the answer. */
  readonly missing: readonly string[];
}

/**
 * Fetches articles by their PMIDs. The answer must be a set of articles, whole to its end, with no article
 * that was not asked for; anything else is tried again. Articles that are not in it are named.
 */
export function efetch(link: EutilsLink, pmids: readonly string[]): Promise<FetchedBatch> {
  const fields = { id: pmids.join(','), retmode: 'xml' };
  return ask(link, 'efetch.fcgi', fields, (body) => readBatch(body, pmids));
}

async function readBatch(body: Uint8Array, asked: readonly string[]): Promise<FetchedBatch> {
  const head = new TextDecoder().decode(body.subarray(0, 4_000));
  const error =
    /<ERROR>([\s\S]*?)<\/ERROR>/i.exec(head)?.[1] ?? /^\s*\{\s*"error"\s*:\s*"([^"]*)/.exec(head)?.[1];
  if (error !== undefined) {
    throw /uid.*(?:invalid|not)|id list is empty/i.test(error)
      ? refused(error)
      : new Passing(backendFault(error));
  }
  if (!/<Pubmed(?:Book)?ArticleSet[\s/>]/.test(head)) throw new Passing(damaged(nameOf(head)));
  const items: ImportItem[] = [];
  try {
    for await (const item of pubmedXml.read(bytesOf(body), { name: 'The answer' })) items.push(item);
  } catch (fault) {
    if (!(fault instanceof FormatError)) throw fault;
    throw new Passing(damaged(`articles that cannot be read to their end: ${fault.message}`, fault));
  }
  const wanted = new Set(asked);
  const found = new Set(items.flatMap((item) => pmidOf(item) ?? []));
  const foreign = [...found].find((pmid) => !wanted.has(pmid));
  if (foreign !== undefined) throw new Passing(damaged(`the article ${foreign}, which was not asked for`));
  return { items, missing: asked.filter((pmid) => !found.has(pmid)) };
}

/** The PMID that an item is about: of a record, or of an article without anything to train on. */
export function pmidOf(item: ImportItem): string | null {
  if (item.type === 'record') return item.record.pmid;
  if (item.type === 'tombstone') return null;
  return /^PMID (\d+)$/.exec(item.reject.key)?.[1] ?? null;
}

async function* bytesOf(body: Uint8Array): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  yield body;
}

function nameOf(head: string): string {
  if (/^\s*(?:<!DOCTYPE\s+html|<html|<head)/i.test(head)) return 'a web page instead of articles';
  return head.trim() === '' ? 'nothing' : 'something that is no set of articles';
}
