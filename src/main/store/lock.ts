import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { StoreError } from '../../shared/errors/index.ts';

const LOCK_NAME = 'study.lock';
const Holder = z.object({ pid: z.number().int(), host: z.string(), since: z.string() });
type Holder = z.infer<typeof Holder>;

export interface StudyLock {
  release(): void;
}

/**
 * Takes a study for this process. A lock left by a process that is gone is taken over; a lock of a
 * living process, or of another computer, is a StoreError `STUDY_LOCKED`.
 */
export function lockStudy(folder: string): StudyLock {
  const file = join(folder, LOCK_NAME);
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const fd = openSync(file, 'wx');
      const holder: Holder = { pid: process.pid, host: hostname(), since: new Date().toISOString() };
      writeSync(fd, JSON.stringify(holder));
      closeSync(fd);
      return { release: () => rmSync(file, { force: true }) };
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) {
        throw new StoreError(
          'STUDY_NOT_WRITABLE',
          `The study folder ${folder} cannot be written.`,
          'Choose a folder you may write to, or copy the study to one.',
          error,
        );
      }
      const holder = readHolder(file);
      if (holder !== null && isAlive(holder)) {
        throw new StoreError(
          'STUDY_LOCKED',
          `The study ${folder} is open in another Engram (process ${holder.pid} on ${holder.host}, since ${holder.since}).`,
          `Close it there first; if no Engram is running there, delete ${LOCK_NAME}.`,
        );
      }
      rmSync(file, { force: true });
    }
  }
  throw new StoreError('STUDY_LOCKED', `The study ${folder} is being opened twice.`, 'Try again.');
}

function readHolder(file: string): Holder | null {
  try {
    const parsed = Holder.safeParse(JSON.parse(readFileSync(file, 'utf8')));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** Whether the holder may still be at work. Of another computer it cannot be known: assume yes. */
function isAlive(holder: Holder): boolean {
  if (holder.host !== hostname()) return true;
  try {
    process.kill(holder.pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
