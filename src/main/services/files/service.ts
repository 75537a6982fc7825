import { readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { contract, ServiceHandlers } from '../../../shared/contracts/index.ts';
import { UserInputError } from '../../../shared/errors/index.ts';
import type { ServiceContext } from '../context.ts';

const MAX_ENTRIES = 5000;

/** Folders of this machine, for a host whose renderer has no native dialog. */
export function createFilesService(context: ServiceContext): ServiceHandlers<typeof contract.files> {
  const { files } = context;
  return {
    roots: () =>
      [...new Set([homedir(), context.studiesFolder, process.cwd()])].map((path) => files.register(path)),
    list: ({ handle }) => {
      const path = files.resolve(handle);
      const parent = dirname(path);
      const entries = readEntries(path).flatMap((entry) => {
        const kind = entry.isDirectory() ? ('folder' as const) : entry.isFile() ? ('file' as const) : null;
        if (kind === null || entry.name.startsWith('.')) return [];
        return [{ ...files.register(join(path, entry.name)), kind }];
      });
      entries.sort((a, b) =>
        a.kind === b.kind
          ? a.name.localeCompare(b.name, 'en', { numeric: true })
          : a.kind === 'folder'
            ? -1
            : 1,
      );
      return {
        parent: parent === path ? null : files.register(parent).handle,
        path,
        entries: entries.slice(0, MAX_ENTRIES),
      };
    },
  };
}

function readEntries(path: string) {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (error) {
    throw new UserInputError(
      'FOLDER_UNREADABLE',
      `The folder ${path} cannot be read.`,
      'Choose another folder, or change its permissions.',
      error,
    );
  }
}
