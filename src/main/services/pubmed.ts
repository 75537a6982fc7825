import type { EngramContract, ServiceHandlers } from '../../shared/contracts/index.ts';
import type { PubmedKey } from '../../shared/domain/index.ts';
import { UserInputError } from '../../shared/errors/index.ts';
import {
  createRateLimit,
  esearch,
  EUTILS_PATIENCE,
  eutilsAccess,
  type EutilsPatience,
} from '../importers/eutils/index.ts';
import { type PubmedGate, type PubmedJob, pubmedJob } from '../jobs/pubmed.ts';
import type { SettingsFile } from './app/settings.ts';
import type { ServiceContext } from './context.ts';
import type { SecretStore } from './secrets.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The one way of an application to PubMed: its limit, its key, and the job that goes through it. */
export interface Pubmed {
  readonly gate: PubmedGate;
  readonly job: PubmedJob;
  readonly secrets: SecretStore;
  key(): PubmedKey;
}

export interface PubmedOptions {
  readonly settings: SettingsFile;
  readonly secrets: SecretStore;
  readonly env?: Environment;
  readonly patience?: EutilsPatience;
}

/** `ENGRAM_PUBMED_KEY` stands before a key that was typed in. */
export function createPubmed({ settings, secrets, env = process.env, patience }: PubmedOptions): Pubmed {
  const limit = createRateLimit();
  const fromEnv = env['ENGRAM_PUBMED_KEY'] ?? '';
  const gate: PubmedGate = (signal, tell) => ({
    access: eutilsAccess(
      { email: settings.get().pubmedEmail, key: fromEnv === '' ? secrets.get('pubmed-key') : fromEnv },
      env,
    ),
    limit,
    patience: patience ?? EUTILS_PATIENCE,
    signal,
    tell,
  });
  return {
    gate,
    job: pubmedJob(gate),
    secrets,
    key: () =>
      fromEnv === ''
        ? { present: secrets.get('pubmed-key') !== null, place: secrets.place }
        : { present: true, place: 'environment' },
  };
}

/** A person waits for the answer: fewer tries, and no long rests. */
const AT_ONCE = { tries: 3, longestMs: 10_000, idleMs: 20_000, answerMs: 40_000 } as const;

/** Implements `pubmed`: counting, fetching, and what became of a search. */
export function createPubmedService(
  { session, files }: ServiceContext,
  pubmed: Pubmed,
): ServiceHandlers<EngramContract['pubmed']> {
  return {
    count: async ({ query }) => {
      const link = pubmed.gate(new AbortController().signal, () => undefined);
      const asked = { ...link, patience: { ...link.patience, ...AT_ONCE, retryMs: link.patience.retryMs } };
      const { count, translation, warnings } = await esearch(asked, query, null, 0);
      return { query, count, translation, warnings: [...warnings] };
    },
    fetch: ({ query }) => {
      const { queue } = session.require();
      // Whatever stands in the way is said now, not by a job that fails.
      pubmed.gate(new AbortController().signal, () => undefined);
      return { jobId: queue.start(pubmed.job, { query }).id };
    },
    search: ({ sourceId }) => session.require().study.pubmed.summary(sourceId) ?? null,
    missingFile: ({ sourceId }) => {
      const { study } = session.require();
      const pmids = study.pubmed.next(sourceId, 'missing', Number.MAX_SAFE_INTEGER);
      return files.offerDownload({
        content: { bytes: new TextEncoder().encode(`${pmids.join('\n')}\n`) },
        name: `${study.sources.get(sourceId).name.replace(/[^\p{L}\p{N} _.-]+/gu, '_')}.missing.txt`,
        mime: 'text/plain',
      });
    },
    key: () => pubmed.key(),
    setKey: async ({ key }) => {
      if (key !== null && !/^[0-9a-zA-Z]{8,128}$/.test(key)) {
        throw new UserInputError(
          'PUBMED_KEY_INVALID',
          'This is no API key of NCBI: those are letters and digits only.',
          'Copy it from the settings of your NCBI account.',
        );
      }
      await pubmed.secrets.set('pubmed-key', key);
      return pubmed.key();
    },
  };
}
