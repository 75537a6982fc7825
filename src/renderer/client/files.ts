import { type DesktopBridge, type Download, FileHandle } from '../../shared/contracts/index.ts';
import { FormatError } from '../../shared/errors/index.ts';

/** Choosing and saving files, natively under Electron, through the page in a browser. */
export interface FileAccess {
  pickFiles(extensions: readonly string[]): Promise<FileHandle[]>;
  /** Null when the user cancels. */
  pickFolder(): Promise<FileHandle | null>;
  dropped(files: Iterable<File>): Promise<FileHandle[]>;
  save(download: Download): Promise<void>;
}

export function desktopFiles(bridge: DesktopBridge): FileAccess {
  return {
    pickFiles: (extensions) => bridge.pickFiles({ extensions, multiple: true }),
    pickFolder: () => bridge.pickFolder(),
    dropped: (files) => Promise.all([...files].map((file) => bridge.dropped(file))),
    save: async (download) => {
      await bridge.save(download);
    },
  };
}

/** POST /upload?name=…: the file's bytes as the body, the handle as the answer. */
async function upload(file: File): Promise<FileHandle> {
  const response = await fetch(`/upload?name=${encodeURIComponent(file.name)}`, {
    method: 'POST',
    body: file,
  });
  if (!response.ok) {
    throw new FormatError(
      'UPLOAD_FAILED',
      `${file.name} could not be handed to Engram (${String(response.status)}).`,
      'Try again, or start Engram on the machine that holds the file.',
    );
  }
  return FileHandle.parse(await response.json());
}

/** Folders cannot be uploaded: `browse` shows those of the machine that runs Engram. */
export function browserFiles(browse: () => Promise<FileHandle | null>): FileAccess {
  return {
    pickFiles: async (extensions) => Promise.all((await chooseLocal(extensions)).map(upload)),
    pickFolder: browse,
    dropped: (files) => Promise.all([...files].map(upload)),
    save(download) {
      const link = document.createElement('a');
      link.href = download.url;
      link.download = download.name;
      link.click();
      return Promise.resolve();
    },
  };
}

function chooseLocal(extensions: readonly string[]): Promise<File[]> {
  return new Promise((resolve) => {
    const input = document.createElement('input');
    input.type = 'file';
    input.multiple = true;
    input.accept = extensions.map((e) => `.${e}`).join(',');
    input.onchange = () => resolve([...(input.files ?? [])]);
    input.oncancel = () => resolve([]);
    input.click();
  });
}
