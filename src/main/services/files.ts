import type { Download, FileHandle } from '../../shared/contracts/index.ts';

/** What a service offers for saving: a file that exists, or bytes made for this download. */
export interface DownloadOffer {
  readonly content: { readonly path: string } | { readonly bytes: Uint8Array };
  /** File name with its extension, as it will be proposed to the user. */
  readonly name: string;
  readonly mime: string;
}

/**
 * Handles stand for files and folders of this machine, so that the renderer names them without ever
 * seeing or choosing a path. Each host provides one broker.
 */
export interface FileBroker {
  /** Absolute path of a handle. Throws UserInputError `FILE_HANDLE_UNKNOWN`. */
  resolve(handle: string): string;
  /** The handle of a path; the same path always gets the same handle. */
  register(path: string): FileHandle;
  /** Makes something available for saving under a URL that only this session can fetch. */
  offerDownload(offer: DownloadOffer): Download;
}
