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

const plain = (address: string): string => address.replace(/\/+$/, '');

type Environment = Readonly<Record<string, string | undefined>>;

const IDLE_MS = 60_000;
const RETRY_MS = 1_000;

/**
 * The hub in use: the address given, else `ENGRAM_HUB_URL`, else the setting. A token for models whose owners
 * ask for one comes from `ENGRAM_HUB_TOKEN` only and is stored nowhere. It belongs to the hub that the environment
 * names (`ENGRAM_HUB_URL`, else the public one): an address from a file or a setting never receives it.
 */
export function hubAccess(given: string | null, setting: string, env: Environment = process.env): HubAccess {
  const named = env['ENGRAM_HUB_URL'] ?? '';
  const address = given ?? (named === '' ? setting : named);
  if (!/^https?:\/\/[^\s/]/.test(address) || !URL.canParse(address)) {
    throw new UserInputError(
      'HUB_ADDRESS_INVALID',
      `The hub's address “${address}” is not one of a web server.`,
      `Give one like ${DEFAULT_HUB}, in the settings or with --hub.`,
    );
  }
  const token = env['ENGRAM_HUB_TOKEN'] ?? '';
  const hub = plain(address);
  return {
    hub,
    token: token !== '' && hub === plain(named === '' ? DEFAULT_HUB : named) ? token : null,
    idleMs: IDLE_MS,
    retryMs: RETRY_MS,
  };
}
