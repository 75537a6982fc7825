import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { InvariantError } from '../../shared/errors/index.ts';

/** Where the application's own files lie, whether it runs from its sources or from a build. */
export interface AppPaths {
  readonly root: string;
  readonly version: string;
  readonly resources: string;
  /** The built renderer. */
  readonly renderer: string;
  /** Script of the compute process. */
  readonly compute: string;
}

const Package = z.object({ name: z.literal('engram'), version: z.string() });

/** Finds the application's folder upwards from this file. */
export function appPaths(): AppPaths {
  const here = fileURLToPath(import.meta.url);
  const fromSource = here.endsWith('.ts');
  for (let folder = dirname(here); folder !== dirname(folder); folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    const found = existsSync(file) ? Package.safeParse(JSON.parse(readFileSync(file, 'utf8'))) : null;
    if (found?.success === true) {
      return {
        root: folder,
        version: found.data.version,
        resources: join(folder, 'resources'),
        renderer: join(folder, 'out', 'renderer'),
        compute: join(folder, fromSource ? 'src/main/runtime/worker.ts' : 'out/main/compute.js'),
      };
    }
  }
  throw new InvariantError(`No package.json of Engram lies above ${here}.`);
}

/** The folders of this user. `data` overrides the system's place for application data (`--data`). */
export interface UserFolders {
  readonly data: string;
  readonly studies: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Per-user data: settings and recent studies; and where new studies are made. */
export function userFolders(data?: string, env: Environment = process.env): UserFolders {
  const chosen = data ?? env['ENGRAM_DATA'];
  if (chosen !== undefined && chosen !== '') return { data: chosen, studies: join(chosen, 'studies') };
  const home = homedir();
  const places: Partial<Record<NodeJS.Platform, string>> = {
    darwin: join(home, 'Library', 'Application Support', 'Engram'),
    win32: join(env['APPDATA'] ?? join(home, 'AppData', 'Roaming'), 'Engram'),
  };
  const place =
    places[process.platform] ?? join(env['XDG_DATA_HOME'] ?? join(home, '.local', 'share'), 'engram');
  return { data: place, studies: join(home, 'Engram') };
}

/** Where what can be made again is kept: weights converted to float32. */
export const cacheFolder = ({ data }: Pick<UserFolders, 'data'>): string => join(data, 'cache');

/** A name for a study or model from its folder's. */
export function nameOf(folder: string): string {
  return (
    folder
      .replace(/[/\\]+$/, '')
      .split(/[/\\]/)
      .at(-1) ?? 'Study'
  );
}
