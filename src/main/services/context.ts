import type { StudyInfo } from '../../shared/contracts/index.ts';
import type { Emit } from '../jobs/events.ts';
import type { JobQueue } from '../jobs/queue.ts';
import type { ComputeApi } from '../runtime/api.ts';
import type { Study } from '../store/index.ts';
import type { FileBroker } from './files.ts';

/** The study a host has open, with the queue that runs its jobs. */
export interface OpenStudy {
  readonly study: Study;
  readonly queue: JobQueue;
  readonly info: StudyInfo;
}

/** Which study is open; one at a time per host. Created by `createStudySession`. */
export interface StudySession {
  current(): OpenStudy | null;
  /** The open study. Throws UserInputError `STUDY_NOT_OPEN`. */
  require(): OpenStudy;
  /** Creates a study in a new folder and opens it. Throws UserInputError `STUDY_EXISTS`. */
  create(folder: string, name: string, options?: { readonly synthetic?: boolean }): Promise<OpenStudy>;
  /** Opens a study and continues its interrupted jobs; the one open before is closed first. */
  open(folder: string): Promise<OpenStudy>;
  /** Stops jobs so that they can be continued, checkpoints and closes. */
  close(): Promise<void>;
}

/** What every service is built from. A host makes one. */
export interface ServiceContext {
  readonly session: StudySession;
  readonly files: FileBroker;
  readonly compute: ComputeApi;
  /** A second process for questions a person waits for: it answers while a training or a sweep runs. */
  readonly interactive: ComputeApi;
  readonly emit: Emit;
  /** Per-user folder of the application: list of recent studies, settings. */
  readonly dataFolder: string;
  /** Folder in which new studies are made when the user names none. */
  readonly studiesFolder: string;
  /** The folder `resources` that comes with the application. */
  readonly resources: string;
}
