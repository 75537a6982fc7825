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
  add(study: RecentStudy): void;
}

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
  return {
    list: () => read().filter((s) => isStudyFolder(s.folder)),
    add: (study) => {
      const others = read().filter((s) => s.folder !== study.folder);
      mkdirSync(dataFolder, { recursive: true });
      writeFileAtomic.sync(file, `${JSON.stringify([study, ...others].slice(0, KEPT), null, 2)}\n`);
    },
  };
}
