import { EngineError, FormatError, UserInputError, type EngramError } from '../../../shared/errors/index.ts';

/** What an address belongs to, for messages. */
export interface HubTarget {
  readonly hub: string;
  readonly repo: string;
  /** Null for the repository's listing. */
  readonly file: string | null;
}

const place = ({ repo, file }: HubTarget): string => (file === null ? repo : `${file} of ${repo}`);

type Refusal = (target: HubTarget, status: number) => EngramError;

const gated: Refusal = (target) =>
  new UserInputError(
    'HUB_GATED',
    `${place(target)} is given only to people who accepted its owner's conditions.`,
    `Accept them at ${target.hub}/${target.repo} and set ENGRAM_HUB_TOKEN to a read token, or copy the files from a machine that has them.`,
  );
const noRepo: Refusal = (target) =>
  new UserInputError(
    'HUB_MODEL_UNKNOWN',
    `${target.hub} has no model ${target.repo}, or it is private.`,
    'Check the spelling: owner/name, as in the address of its page.',
  );
const noRevision: Refusal = (target) =>
  new UserInputError(
    'HUB_REVISION_UNKNOWN',
    `${target.repo} has no such revision.`,
    'Leave the revision out, or name a branch, tag or commit of the model.',
  );
const noFile: Refusal = (target) =>
  new UserInputError(
    'HUB_FILE_GONE',
    `${target.file ?? target.repo} is no longer at ${target.hub}/${target.repo}.`,
    'List the files again.',
  );
const failing: Refusal = (target, status) =>
  new EngineError(
    'HUB_FAILED',
    `${target.hub} answered with the error ${status} for ${place(target)}.`,
    'Try again later; what has arrived is kept.',
  );
const tooMany: Refusal = (target) =>
  new EngineError(
    'HUB_BUSY',
    `${target.hub} receives too many requests from this network.`,
    'Wait a few minutes and start it again; what has arrived is kept.',
  );

/** By the hub's own error code (`X-Error-Code`). */
const BY_CODE: Readonly<Record<string, Refusal>> = {
  GatedRepo: gated,
  RepoNotFound: noRepo,
  RevisionNotFound: noRevision,
  EntryNotFound: noFile,
};
/** By status, where there is no code. The hub answers 401 for what does not exist or is private. */
const BY_STATUS: Readonly<Record<number, Refusal>> = {
  401: noRepo,
  403: gated,
  404: (target, status) => (target.file === null ? noRepo : noFile)(target, status),
  410: noFile,
  429: tooMany,
};

/** An answer that is no success, as one of our errors. */
export function refusal(response: Response, target: HubTarget): EngramError {
  const { status, headers } = response;
  const known = BY_CODE[headers.get('x-error-code') ?? ''] ?? BY_STATUS[status];
  if (known !== undefined) return known(target, status);
  if (status >= 500) return failing(target, status);
  return new UserInputError(
    'HUB_REFUSED',
    `${target.hub} refused ${place(target)} with status ${status}.`,
    'Check the hub’s address in the settings.',
  );
}

/** No answer at all: no network, no such host, a connection that broke. */
export function unreachable(error: unknown, target: HubTarget): EngramError {
  return new EngineError(
    'HUB_UNREACHABLE',
    `${new URL(target.hub).host} cannot be reached for ${place(target)} (${reasonOf(error)}).`,
    'Check the network, or copy the files from a machine that has it: `engram model get --help` says how.',
    error,
  );
}

export function damagedAnswer(target: HubTarget, what: string): EngramError {
  return new FormatError(
    'HUB_ANSWER_INVALID',
    `${target.hub} answered for ${place(target)} with ${what}.`,
    'Check the hub’s address in the settings.',
  );
}

/** `fetch` hides the system's reason in the cause. */
function reasonOf(error: unknown): string {
  let at: unknown = error;
  let code: string | undefined;
  while (at instanceof Error) {
    if ('code' in at && typeof at.code === 'string') code = at.code;
    if (at.cause === undefined) return code ?? at.message;
    at = at.cause;
  }
  return code ?? String(error);
}
