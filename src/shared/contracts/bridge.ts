import type { Download, FileHandle } from './common.ts';

/** Where the preload script puts the bridge on `window`. */
export const BRIDGE_KEY = 'engram';

/**
 * The message by which the preload script hands the page its end of the services' MessagePort:
 * `window.postMessage(PORT_MESSAGE, origin, [port])`, once per call of `connect()`.
 */
export const PORT_MESSAGE = 'engram:port';

/**
 * What the preload script offers the page under Electron, and nothing else. Paths never cross it: a
 * chosen file becomes a handle on the main side.
 */
export interface DesktopBridge {
  /** Asks for a port; it arrives as a `PORT_MESSAGE` window message. */
  connect(): void;
  /** Native dialog; an empty list when the user cancels. */
  pickFiles(options: {
    readonly extensions: readonly string[];
    readonly multiple: boolean;
  }): Promise<FileHandle[]>;
  /** Native dialog; null when the user cancels. */
  pickFolder(): Promise<FileHandle | null>;
  /** A dropped `File` object as a handle (the preload script asks Electron for its place). */
  dropped(file: unknown): Promise<FileHandle>;
  /** Native save dialog; false when the user cancels. */
  save(download: Download): Promise<boolean>;
}

/** Channels between the preload script and the main process. */
export const CHANNELS = {
  connect: 'engram:connect',
  port: 'engram:port',
  pickFiles: 'engram:pick-files',
  pickFolder: 'engram:pick-folder',
  dropped: 'engram:dropped',
  save: 'engram:save',
} as const;
