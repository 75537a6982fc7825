import { DEFAULT_EUTILS } from '../../../shared/domain/index.ts';
import { UserInputError } from '../../../shared/errors/index.ts';

/** How E-utilities are reached, and who asks. */
export interface EutilsAccess {
  /** Base address with a trailing slash: programs such as `esearch.fcgi` are named after it. */
  readonly base: string;
  readonly tool: string;
  readonly email: string;
  /** Sent in the body of a request only, so that no address and no log ever holds it. */
  readonly key: string | null;
}

/** Waiting times in milliseconds; tests shorten them. */
export interface EutilsPatience {
  /** A connection that sends nothing for so long is taken as broken. */
  readonly idleMs: number;
  /** One whole answer, however slowly it trickles. */
  readonly answerMs: number;
  /** First wait before another try; each further one is twice as long. */
  readonly retryMs: number;
  /** The longest wait the server may ask for. */
  readonly longestMs: number;
  /** Tries of one request before giving up. */
  readonly tries: number;
}

export const EUTILS_PATIENCE: EutilsPatience = {
  idleMs: 60_000,
  answerMs: 300_000,
  retryMs: 1_000,
  longestMs: 900_000,
  tries: 6,
};

const TOOL = 'engram';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Who asks where: `ENGRAM_PUBMED_URL` replaces the address, `ENGRAM_PUBMED_EMAIL` the setting. Throws
 * UserInputError `PUBMED_EMAIL` without an e-mail address, which NCBI wants with every request, and
 * `PUBMED_ADDRESS_INVALID`.
 */
export function eutilsAccess(
  settings: { readonly email: string; readonly key: string | null },
  env: Environment = process.env,
): EutilsAccess {
  const given = env['ENGRAM_PUBMED_URL'];
  const address = given === undefined || given === '' ? DEFAULT_EUTILS : given;
  if (!/^https?:\/\/[^\s/]/.test(address) || !URL.canParse(address)) {
    throw new UserInputError(
      'PUBMED_ADDRESS_INVALID',
      `ENGRAM_PUBMED_URL is “${address}”, which is no address of a web server.`,
      `Remove it, or give one like ${DEFAULT_EUTILS}.`,
    );
  }
  const email = (env['ENGRAM_PUBMED_EMAIL'] ?? '') || settings.email.trim();
  if (!/^[^\s@]+@[^\s@]+$/.test(email)) {
    throw new UserInputError(
      'PUBMED_EMAIL',
      'PubMed asks every program for an e-mail address of its user, and none is set.',
      'Give yours in the settings under PubMed, or in ENGRAM_PUBMED_EMAIL.',
    );
  }
  return { base: address.replace(/\/*$/, '/'), tool: TOOL, email, key: settings.key };
}
