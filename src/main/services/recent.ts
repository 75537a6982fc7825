import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import { isStudyFolder } from '../store/index.ts';

const RecentStudy = z.object({
  folder: z.string(),
  name: z.string(),
  synthetic: z.boolean(),
  openedAt: z.string(),
});
type RecentStudy = z.infer<typeof RecentStudy>;

const KEPT = 12;

/** The studies opened last on this computer, newest first; those that are gone are left out. */
export interface RecentStudies {
  list(): RecentStudy[];
  /** Remembers a study as the newest, and as the one to open again at the next start. */
  add(study: RecentStudy): void;
  /** The study that was open when the application last ended; null after the user closed it. */
  last(): string | null;
  /** The user closed the study: the next start opens none. */
  forgetLast(): void;
}

const LastStudy = z.object({ folder: z.string().nullable() });

export function createRecentStudies(dataFolder: string): RecentStudies {
  const file = join(dataFolder, 'recent-studies.json');
  const read = (): RecentStudy[] => {
    try {
      const parsed = z.array(RecentStudy).safeParse(JSON.parse(readFileSync(file, 'utf8')));
      return parsed.success ? parsed.data : [];
    } catch {
      // Missing or damaged: the list is a convenience and starts anew.
      return [];
    }
  };
  const lastFile = join(dataFolder, 'last-study.json');
  const setLast = (folder: string | null): void => {
    mkdirSync(dataFolder, { recursive: true });
    writeFileAtomic.sync(lastFile, `${JSON.stringify({ folder })}\n`);
  };
  return {
    last: () => {
      try {
        const { folder } = LastStudy.parse(JSON.parse(readFileSync(lastFile, 'utf8')));
        return folder !== null && isStudyFolder(folder) ? folder : null;
      } catch {
        // Missing or damaged: as if no study had been open.
        return null;
      }
    },
    forgetLast: () => {
      setLast(null);
    },
    list: () => read().filter((s) => isStudyFolder(s.folder)),
    add: (study) => {
      const others = read().filter((s) => s.folder !== study.folder);
      mkdirSync(dataFolder, { recursive: true });
      writeFileAtomic.sync(file, `${JSON.stringify([study, ...others].slice(0, KEPT), null, 2)}\n`);
      setLast(study.folder);
    },
  };
}
