import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { Settings } from '../../../shared/domain/index.ts';

/** The settings of this user on this machine. */
export interface SettingsFile {
  get(): Settings;
  set(settings: Settings): Settings;
}

/** Keeps `settings.json` in the data folder. A file that cannot be read counts as the defaults. */
export function createSettingsFile(dataFolder: string): SettingsFile {
  const path = join(dataFolder, 'settings.json');
  const read = (): Settings => {
    if (!existsSync(path)) return Settings.parse({});
    const parsed = Settings.safeParse(parse(readFileSync(path, 'utf8')));
    return parsed.success ? parsed.data : Settings.parse({});
  };
  return {
    get: read,
    set: (settings) => {
      writeFileAtomic.sync(path, `${JSON.stringify(settings, null, 2)}\n`);
      return settings;
    },
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
