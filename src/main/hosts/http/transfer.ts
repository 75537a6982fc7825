import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream, mkdirSync, rmSync, statSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { basename, join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { UserInputError } from '../../../shared/errors/index.ts';
import type { FileHandle } from '../../../shared/contracts/index.ts';
import { mimeOf } from '../../shell/web/static.ts';
import type { DownloadOffer, FileBroker } from '../../services/files.ts';

/** A whole PubMed baseline file is far below this. */
const MAX_UPLOAD_BYTES = 16 * 2 ** 30;

/** A file name without folders, control characters, or characters that some system refuses. */
export function safeName(name: string): string {
  const last = basename(name.replaceAll('\\', '/'));

  const clean = last
    .replace(/[\p{Cc}<>:"/\\|?*]/gu, '_')
    .replace(/^\.+/, '_')
    .trim();
  return clean.slice(-120) || 'file';
}

/** Streams a request's body into a folder of its own and returns the handle of the file. */
export async function receiveUpload(
  request: IncomingMessage,
  name: string,
  folder: string,
  files: FileBroker,
): Promise<FileHandle> {
  const own = join(folder, randomUUID());
  mkdirSync(own, { recursive: true, mode: 0o700 });
  const path = join(own, safeName(name));
  try {
    await pipeline(request, limit(MAX_UPLOAD_BYTES), createWriteStream(path, { mode: 0o600 }));
  } catch (error) {
    rmSync(own, { recursive: true, force: true });
    throw error;
  }
  return files.register(path);
}

function limit(most: number): Transform {
  let seen = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.byteLength;
      if (seen <= most) done(null, chunk);
      else
        done(
          new UserInputError('UPLOAD_TOO_LARGE', 'The file is too large.', 'Import it with `engram import`.'),
        );
    },
  });
}

/** Sends what was offered, as a file to keep: never shown as a page of this origin. */
export async function sendOffer(response: ServerResponse, offer: DownloadOffer): Promise<void> {
  const { content, name, mime } = offer;
  response.writeHead(200, {
    'Content-Type': mime,
    'Content-Disposition': `attachment; filename*=UTF-8''${encodeURIComponent(safeName(name))}`,
    'Cache-Control': 'no-store',
    ...('bytes' in content ? { 'Content-Length': content.bytes.byteLength } : {}),
  });
  await pipeline(
    'bytes' in content ? Readable.from([content.bytes]) : createReadStream(content.path),
    response,
  );
}

/** Sends a file. Built assets carry a hash in their names and may be kept; the page itself not. */
export async function sendFile(response: ServerResponse, path: string): Promise<void> {
  const hashed = /-[\w-]{8}\.\w+$/.test(path);
  response.writeHead(200, {
    'Content-Type': mimeOf(path),
    'Content-Length': statSync(path).size,
    'Cache-Control': hashed ? 'private, max-age=31536000, immutable' : 'no-store',
  });
  await pipeline(createReadStream(path), response);
}
