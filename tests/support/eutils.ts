import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { EUTILS_PATIENCE, type EutilsLink, type RateLimit } from '../../src/main/importers/eutils/index.ts';

/** An article as PubMed has it: its number, the day it came in, and whether efetch still gives it. */
export interface HeldArticle {
  readonly pmid: number;
  /** `YYYY/MM/DD` */
  readonly day: string;
  readonly gone?: boolean;
}

interface Asked {
  readonly program: string;
  readonly fields: URLSearchParams;
  /** The address as it was requested. */
  readonly url: string;
}

/** What a test changes about one answer; true = the answer was given. */
export type Interference = (response: ServerResponse, asked: Asked) => boolean;

export interface EutilsServer {
  readonly url: string;
  readonly asked: Asked[];
  articles: HeldArticle[];
  /** Asked first for each request, in order; one that answers is used up. */
  readonly interferences: Interference[];
  /** Asked for every request. */
  always: Interference | null;
}

/** PubMed's ceiling for one list. */
const CEILING = 9_999;

/** A server on this machine that answers `esearch.fcgi` (JSON) and `efetch.fcgi` (XML) as NCBI's does. */
export async function eutilsServer(articles: HeldArticle[]): Promise<EutilsServer> {
  const state: EutilsServer = { url: '', asked: [], articles, interferences: [], always: null };
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      const url = request.url ?? '';
      const fields = new URLSearchParams(body);
      const asked = { program: url.replace(/^\/entrez\/eutils\//, ''), fields, url };
      state.asked.push(asked);
      if (fields.get('tool') !== 'engram' || !fields.has('email') || fields.get('db') !== 'pubmed') {
        response.writeHead(400).end('{"error":"tool, email and db are to be sent"}');
        return;
      }
      if (state.always?.(response, asked) === true) return;
      const at = state.interferences.findIndex((interfere) => interfere(response, asked));
      if (at >= 0) {
        state.interferences.splice(at, 1);
        return;
      }
      if (asked.program === 'esearch.fcgi') answerSearch(state, response, fields);
      else if (asked.program === 'efetch.fcgi') answerFetch(state, response, fields);
      else response.writeHead(404).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo; // a server listening on a port has one
  return Object.assign(state, { url: `http://127.0.0.1:${port}/entrez/eutils/` });
}

function answerSearch({ articles }: EutilsServer, response: ServerResponse, fields: URLSearchParams): void {
  const term = fields.get('term') ?? '';
  const most = Number(fields.get('retmax') ?? 20);
  const [, low = '0', high = '99999999'] = / AND (\d+):(\d+)\[UID\]$/.exec(term) ?? [];
  const from = fields.get('mindate') ?? '0000';
  const to = fields.get('maxdate') ?? '9999';
  const dated = fields.get('datetype') === 'edat';
  const found = term.includes('zzznothing')
    ? []
    : articles.filter(
        ({ pmid, day }) =>
          pmid >= Number(low) && pmid <= Number(high) && (!dated || (day >= from && day <= to)),
      );
  const listed = found.slice(0, Math.min(most, CEILING)).map(({ pmid }) => String(pmid));
  response.setHeader('content-type', 'application/json; charset=UTF-8');
  response.end(
    JSON.stringify({
      header: { type: 'esearch', version: '0.3' },
      esearchresult: {
        count: String(found.length),
        retmax: String(listed.length),
        retstart: '0',
        idlist: listed,
        translationset: [{ from: 'epilepsy', to: '"epilepsy"[MeSH Terms] OR "epilepsy"[All Fields]' }],
        querytranslation: `"${term}"[All Fields]`,
        ...(term.includes('zzznothing')
          ? {
              errorlist: { phrasesnotfound: ['zzznothing'], fieldsnotfound: [] },
              warninglist: {
                phrasesignored: [],
                quotedphrasesnotfound: [],
                outputmessages: ['No items found.'],
              },
            }
          : {}),
      },
    }),
  );
}

function answerFetch({ articles }: EutilsServer, response: ServerResponse, fields: URLSearchParams): void {
  const wanted = (fields.get('id') ?? '').split(',').map(Number);
  const held = new Map(articles.filter((a) => a.gone !== true).map((a) => [a.pmid, a]));
  response.setHeader('content-type', 'text/xml; charset=UTF-8');
  response.end(articleSet(wanted.filter((pmid) => held.has(pmid))));
}

/** A set of made-up articles as efetch writes it. */
export function articleSet(pmids: readonly number[]): string {
  return `<?xml version="1.0" ?>
<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2025//EN" "https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_250101.dtd">
<PubmedArticleSet>
${pmids.map(article).join('\n')}
</PubmedArticleSet>`;
}

function article(pmid: number): string {
  return `<PubmedArticle><MedlineCitation Status="MEDLINE" Owner="NLM"><PMID Version="1">${pmid}</PMID>
<Article PubModel="Print"><Journal><JournalIssue><PubDate><Year>2021</Year></PubDate></JournalIssue><Title>Made-up Letters</Title></Journal>
<ArticleTitle>Made-up article ${pmid}</ArticleTitle><Abstract><AbstractText>What the ${pmid}th made-up article found about seizures.</AbstractText></Abstract>
<Language>eng</Language><PublicationTypeList><PublicationType>Journal Article</PublicationType></PublicationTypeList></Article>
</MedlineCitation><PubmedData><ArticleIdList><ArticleId IdType="pubmed">${pmid}</ArticleId></ArticleIdList></PubmedData></PubmedArticle>`;
}

/** Articles numbered from 1, spread over days, ten a day unless told. */
export function heldArticles(n: number, perDay = 10): HeldArticle[] {
  const first = Date.UTC(2001, 0, 1);
  return Array.from({ length: n }, (_, i) => ({
    pmid: i + 1,
    day: new Date(first + Math.floor(i / perDay) * 86_400_000)
      .toISOString()
      .slice(0, 10)
      .replaceAll('-', '/'),
  }));
}

/** No test waits for a real rate. */
export const UNLIMITED: RateLimit = { pass: () => Promise.resolve(), rest: () => undefined };

export const SHORT_PATIENCE = { ...EUTILS_PATIENCE, retryMs: 1, idleMs: 400, answerMs: 900, tries: 4 };

/** A link to such a server as the application makes it, with short waits. */
export function linkTo(server: { url: string }, changes: Partial<EutilsLink> = {}): EutilsLink {
  return {
    access: { base: server.url, tool: 'engram', email: 'someone@example.org', key: null },
    limit: UNLIMITED,
    patience: SHORT_PATIENCE,
    signal: new AbortController().signal,
    tell: () => undefined,
    ...changes,
  };
}
