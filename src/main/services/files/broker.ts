import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { Download, FileHandle } from '../../../shared/contracts/index.ts';
import { UserInputError } from '../../../shared/errors/index.ts';
import type { DownloadOffer, FileBroker } from '../files.ts';

/** Offers kept for saving; the oldest is forgotten first. */
const MAX_OFFERS = 64;

/** A broker as the host sees it: it also hands out what was offered. */
export interface HostFileBroker extends FileBroker {
  /** What was offered under the id at the end of a download's URL. */
  offered(id: string): DownloadOffer | undefined;
}

/** Handles and downloads of one host, in memory. Download URLs are `/download/<id>`. */
export function createFileBroker(): HostFileBroker {
  const paths = new Map<string, string>();
  const handles = new Map<string, string>();
  const offers = new Map<string, DownloadOffer>();

  return {
    resolve: (handle) => {
      const path = paths.get(handle);
      if (path !== undefined) return path;
      throw new UserInputError(
        'FILE_HANDLE_UNKNOWN',
        'The file or folder is not known here.',
        'Choose it again: handles last as long as Engram runs.',
      );
    },
    register: (path) => {
      const absolute = resolve(path);
      const handle = handles.get(absolute) ?? randomUUID();
      handles.set(absolute, handle);
      paths.set(handle, absolute);
      return { handle, name: basename(absolute), bytes: fileBytes(absolute) } satisfies FileHandle;
    },
    offerDownload: (offer) => {
      const id = randomUUID();
      offers.set(id, offer);
      for (const oldest of offers.keys()) {
        if (offers.size <= MAX_OFFERS) break;
        offers.delete(oldest);
      }
      const { content, name, mime } = offer;
      const bytes = 'bytes' in content ? content.bytes.byteLength : (fileBytes(content.path) ?? 0);
      return { url: `/download/${id}`, name, mime, bytes } satisfies Download;
    },
    offered: (id) => offers.get(id),
  };
}

/** Size of a file; null for a folder or for what is not there. */
function fileBytes(path: string): number | null {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat?.isFile() === true ? stat.size : null;
}
