import { DEFAULT_HUB } from '../../../shared/domain/index.ts';
import { UserInputError } from '../../../shared/errors/index.ts';

/** How a hub is reached. */
export interface HubAccess {
  /** Base address without a trailing slash. */
  readonly hub: string;
  /** Sent to the hub alone, never to the hosts that it redirects to. */
  readonly token: string | null;
  /** A connection that sends nothing for so long is taken as broken, milliseconds. */
  readonly idleMs: number;
  /** First wait before a broken transfer is taken up again, milliseconds; each further one is twice as long. */
  readonly retryMs: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

const IDLE_MS = 60_000;
const RETRY_MS = 1_000;

/**
 * The hub in use: the address given, else `ENGRAM_HUB_URL`, else the setting. A token for models whose owners
 * ask for one comes from `ENGRAM_HUB_TOKEN` only; it is stored nowhere.
 */
export function hubAccess(given: string | null, setting: string, env: Environment = process.env): HubAccess {
  const fromEnv = env['ENGRAM_HUB_URL'];
  const address = given ?? (fromEnv === undefined || fromEnv === '' ? setting : fromEnv);
  if (!/^https?:\/\/[^\s/]/.test(address) || !URL.canParse(address)) {
    throw new UserInputError(
      'HUB_ADDRESS_INVALID',
      `The hub's address “${address}” is not one of a web server.`,
      `Give one like ${DEFAULT_HUB}, in the settings or with --hub.`,
    );
  }
  const token = env['ENGRAM_HUB_TOKEN'];
  return {
    hub: address.replace(/\/+$/, ''),
    token: token === undefined || token === '' ? null : token,
    idleMs: IDLE_MS,
    retryMs: RETRY_MS,
  };
}
