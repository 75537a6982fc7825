import { homedir } from 'node:os';
import { resolve, sep } from 'node:path';
import type { StudyInfo } from '../../shared/contracts/index.ts';
import { UserInputError } from '../../shared/errors/index.ts';
import type { JobRegistry } from '../jobs/definition.ts';
import type { Emit } from '../jobs/events.ts';
import { createJobQueue } from '../jobs/runner.ts';
import type { ComputeApi } from '../runtime/api.ts';
import { type Study, createStudy, openStudy } from '../store/index.ts';
import type { OpenStudy, StudySession } from './context.ts';
import type { FileBroker } from './files.ts';
import { createRecentStudies } from './recent.ts';

export interface SessionOptions {
  readonly dataFolder: string;
  readonly registry: JobRegistry;
  readonly compute: ComputeApi;
  readonly emit: Emit;
  readonly files: FileBroker;
}

/** Keeps the one open study of a host. */
export function createStudySession({
  dataFolder,
  registry,
  compute,
  emit,
  files,
}: SessionOptions): StudySession {
  const recent = createRecentStudies(dataFolder);
  let current: OpenStudy | null = null;

  let last: Promise<unknown> = Promise.resolve();
  /** Opening and closing take turns: nothing is opened while another study is still being closed. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };

  const release = async (): Promise<void> => {
    const open = current;
    current = null;
    if (open === null) return;
    await open.queue.close();
    open.study.close();
    emit('changed', { what: 'study' });
  };
  const adopt = (study: Study): OpenStudy => {
    const { name, synthetic } = study.settings.meta();
    const opened = { folder: study.folder, name, synthetic, openedAt: new Date().toISOString() };
    recent.add(opened);
    current = {
      study,
      queue: createJobQueue({ study, registry, compute, emit }),
      info: studyInfo(opened, files),
    };
    emit('changed', { what: 'study' });
    return current;
  };

  /** The new study is open before the old one is let go: when it cannot be opened, nothing changes. */
  const replace = async (study: Study): Promise<OpenStudy> => {
    await release();
    return adopt(study);
  };

  return {
    current: () => current,
    require: () => {
      if (current !== null) return current;
      throw new UserInputError(
        'STUDY_NOT_OPEN',
        'No study is open.',
        'Open a study or create a new one first.',
      );
    },
    create: (folder, name, options = {}) => inTurn(async () => replace(createStudy(folder, name, options))),
    open: (folder) =>
      inTurn(async () => {
        const path = resolve(folder);
        return current?.study.folder === path ? current : replace(openStudy(path));
      }),
    close: () => inTurn(release),
  };
}

/** A study as the renderer sees it: a handle, and its place in words. */
export function studyInfo(
  study: { folder: string; name: string; synthetic: boolean; openedAt: string },
  files: FileBroker,
): StudyInfo {
  const home = homedir() + sep;
  return {
    handle: files.register(study.folder).handle,
    name: study.name,
    place: study.folder.startsWith(home) ? `~${sep}${study.folder.slice(home.length)}` : study.folder,
    synthetic: study.synthetic,
    openedAt: study.openedAt,
  };
}
