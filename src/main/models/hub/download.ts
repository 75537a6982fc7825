import type { HubFile } from '../../../shared/domain/index.ts';
import { EngramError, FormatError } from '../../../shared/errors/index.ts';
import type { HubAccess } from './access.ts';
import { damagedAnswer, type HubTarget } from './errors.ts';
import { PartialFile } from './partial.ts';
import { brokenOff, hubRequest, persistently, requireSuccess, type HubAnswer } from './request.ts';

export interface FileTask {
  readonly file: HubFile;
  readonly url: string;
  /** Where the whole file will lie. */
  readonly path: string;
  readonly target: HubTarget;
}

export interface Watch {
  readonly signal: AbortSignal;
  /** Bytes of this file that are here. */
  readonly received: (bytes: number) => void;
  /** Why it waits. */
  readonly tell: (message: string) => void;
}

/**
 * Fetches one file and verifies it before it gets its name. Bytes of an earlier attempt are kept if the server
 * still has the same content and gives ranges. Throws FormatError `HUB_CHECKSUM`, `HUB_FILE_CHANGED`, and what
 * the hub refuses; the signal's reason when ended.
 */
export async function downloadFile(access: HubAccess, task: FileTask, watch: Watch): Promise<void> {
  const part = await PartialFile.open(task.path, task.file, watch.signal);
  let old = part.at > 0;
  watch.received(part.at);
  try {
    for (;;) {
      await persistently(
        access,
        watch.signal,
        watch.tell,
        () => part.at,
        () => transfer(access, task, part, watch),
      );
      const sum = part.checksum();
      if (sum === null || sum.actual === sum.expected) break;
      // Bytes of an earlier attempt may have been damaged since; fresh ones are the server's own.
      await part.restart();
      if (!old) throw wrongBytes(task, sum.kind, sum.expected, sum.actual);
      old = false;
      watch.tell(`${task.file.name} does not match its checksum; fetching it again`);
    }
    await part.finish();
  } finally {
    await part.close();
  }
}

/** One connection: asks for what is missing and writes what comes. */
async function transfer(access: HubAccess, task: FileTask, part: PartialFile, watch: Watch): Promise<void> {
  const { file, target, url } = task;
  if (part.at === file.bytes && (file.bytes > 0 || part.tag !== null)) return;
  const answer = await hubRequest(
    access,
    url,
    target,
    part.at > 0 ? { range: `bytes=${part.at}-` } : {},
    watch.signal,
  );
  try {
    const { response } = answer;
    if (response.status === 416) {
      // The server's file is shorter than what is here: it is not the same.
      await part.restart();
      throw brokenOff(new Error('the range was not accepted'), target);
    }
    requireSuccess(response, target);
    requireSameContent(task, answer);
    await continueOrRestart(task, answer, part);
    if (part.at === 0) await part.begin(answer.contentTag);
    await receive(task, answer, part, watch);
  } finally {
    answer.done();
    if (!watch.signal.aborted) await answer.response.body?.cancel().catch(() => undefined);
  }
}

/** A server that resends everything, from another place, or another content: what is here is thrown away. */
async function continueOrRestart(task: FileTask, answer: HubAnswer, part: PartialFile): Promise<void> {
  const { response, contentTag } = answer;
  if (part.at === 0) return;
  const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get('content-range') ?? '');
  const continues =
    response.status === 206 && Number(range?.[1]) === part.at && Number(range?.[2]) === task.file.bytes;
  if (continues && contentTag === part.tag) return;
  await part.restart();
  // A 206 begins where it was asked to; only a whole answer can be taken from its first byte.
  if (response.status === 206) throw brokenOff(new Error('the file changed on the server'), task.target);
}

/** The hub names content by its checksum. Another name than the one listed is another file. */
function requireSameContent({ file, target }: FileTask, { contentTag }: HubAnswer): void {
  const name = /^(?:W\/)?"?([0-9a-f]{64}|[0-9a-f]{40})"?$/.exec(contentTag ?? '')?.[1];
  const expected = name?.length === 64 ? file.sha256 : file.gitSha1;
  if (name === undefined || expected === null || name === expected) return;
  throw new FormatError(
    'HUB_FILE_CHANGED',
    `${file.name} of ${target.repo} has the checksum ${name.slice(0, 12)}… on the hub now; ${expected.slice(0, 12)}… was listed.`,
    'List the files again.',
  );
}

async function receive(task: FileTask, answer: HubAnswer, part: PartialFile, watch: Watch): Promise<void> {
  const { file, target } = task;
  try {
    for await (const chunk of bytesOf(answer.response)) {
      answer.alive();
      watch.signal.throwIfAborted();
      if (part.at + chunk.length > file.bytes) {
        await part.restart();
        throw damagedAnswer(target, `more than the ${file.bytes} bytes it listed`);
      }
      await part.append(chunk);
      watch.received(part.at);
    }
  } catch (error) {
    watch.signal.throwIfAborted();
    throw error instanceof EngramError ? error : brokenOff(error, target);
  }
  if (part.at < file.bytes)
    throw brokenOff(new Error(`it ended after ${part.at} of ${file.bytes} bytes`), target);
}

/** The body; its chunks are bytes by the standard. */
function bytesOf({ body }: Response): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
  return (body as AsyncIterable<Uint8Array> | null) ?? [];
}

function wrongBytes({ file, target }: FileTask, kind: string, expected: string, actual: string): FormatError {
  return new FormatError(
    'HUB_CHECKSUM',
    `${file.name} of ${target.repo} arrived with the ${kind} ${actual}; the hub publishes ${expected}.`,
    'Start it again; if it happens again, something between this machine and the hub changes files: copy them from another machine.',
  );
}
