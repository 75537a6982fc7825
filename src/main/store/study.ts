import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { StoreError, UserInputError } from '../../shared/errors/index.ts';
import { type ArtifactStore, createArtifactStore } from './artifacts.ts';
import { checkDatabase, closeDatabase, openDatabase } from './database.ts';
import { lockStudy } from './lock.ts';
import { migrate } from './migrations/index.ts';
import { createRecordIndex } from './record-index/index.ts';
import { type BlockRepository, createBlockRepository } from './repositories/blocks.ts';
import { type ComparisonRepository, createComparisonRepository } from './repositories/comparisons.ts';
import { type CurationRepository, createCurationRepository } from './repositories/curation.ts';
import { type DatasetRepository, createDatasetRepository } from './repositories/datasets.ts';
import { type DecisionRepository, createDecisionRepository } from './repositories/decisions.ts';
import {
  type ExternalResultRepository,
  createExternalResultRepository,
} from './repositories/external-results.ts';
import { type JobRepository, createJobRepository } from './repositories/jobs.ts';
import { type ModelRepository, createModelRepository } from './repositories/models.ts';
import { type PairRepository, createPairRepository } from './repositories/pairs.ts';
import { type PubmedRepository, createPubmedRepository } from './repositories/pubmed.ts';
import { type RecordRepository, createRecordRepository } from './repositories/records.ts';
import { type ReportRepository, createReportRepository } from './repositories/report.ts';
import { type SettingRepository, createSettingRepository } from './repositories/settings.ts';
import { type SourceRepository, createSourceRepository } from './repositories/sources.ts';
import { type SweepRepository, createSweepRepository } from './repositories/sweeps.ts';
import { type TermRepository, createTermRepository } from './repositories/terms.ts';
import { type TrainingRepository, createTrainingRepository } from './repositories/training.ts';
import { now } from './rows.ts';
import { createSubjectPacker } from './subjects.ts';
import { type UndoLog, createUndoLog } from './undo.ts';

const DATABASE = 'study.sqlite';

/** An open study: one folder, one writer. */
export interface Study {
  /** Absolute path. */
  readonly folder: string;
  /** Something the user should know about how the study is stored; null when all is well. */
  readonly notice: string | null;
  readonly settings: SettingRepository;
  readonly sources: SourceRepository;
  readonly pubmed: PubmedRepository;
  readonly records: RecordRepository;
  readonly terms: TermRepository;
  readonly decisions: DecisionRepository;
  readonly curation: CurationRepository;
  readonly datasets: DatasetRepository;
  readonly models: ModelRepository;
  readonly training: TrainingRepository;
  readonly pairs: PairRepository;
  readonly sweeps: SweepRepository;
  readonly blocks: BlockRepository;
  readonly comparisons: ComparisonRepository;
  readonly externalResults: ExternalResultRepository;
  readonly report: ReportRepository;
  readonly jobs: JobRepository;
  readonly artifacts: ArtifactStore;
  readonly undo: UndoLog;
  /** Faults of the database file and of its references, one line each; empty when it is sound. */
  check(): string[];
  /** Runs several writes as one: all of them or none. */
  transaction<T>(work: () => T): T;
  /** A folder for the working files of one job, kept until `dropWorkFolder`. */
  workFolder(name: string): string;
  dropWorkFolder(name: string): void;
  close(): void;
}

export function isStudyFolder(folder: string): boolean {
  return existsSync(join(folder, DATABASE));
}

/** Makes a study in a new or empty folder. Throws UserInputError `STUDY_EXISTS` or `FOLDER_NOT_EMPTY`. */
export function createStudy(folder: string, name: string, options: { synthetic?: boolean } = {}): Study {
  const path = resolve(folder);
  if (isStudyFolder(path)) {
    throw new UserInputError(
      'STUDY_EXISTS',
      `${path} already is a study.`,
      'Open it, or choose another folder.',
    );
  }
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw new StoreError(
      'STUDY_NOT_WRITABLE',
      `The folder ${path} could not be made.`,
      'Choose a place you may write to.',
      error,
    );
  }
  if (readdirSync(path).length > 0) {
    throw new UserInputError(
      'FOLDER_NOT_EMPTY',
      `${path} is not empty.`,
      'Choose a new or an empty folder for the study.',
    );
  }
  return open(path, { name, synthetic: options.synthetic ?? false });
}

/** Opens a study, bringing its schema up to date. Throws `STUDY_NOT_FOUND`, `STUDY_LOCKED`, `STUDY_TOO_NEW`. */
export function openStudy(folder: string): Study {
  const path = resolve(folder);
  if (!isStudyFolder(path)) {
    throw new UserInputError(
      'STUDY_NOT_FOUND',
      `${path} is not a study: it has no ${DATABASE}.`,
      'Choose the folder of a study, or create a new one.',
    );
  }
  return open(path, null);
}

function open(folder: string, created: { name: string; synthetic: boolean } | null): Study {
  const lock = lockStudy(folder);
  try {
    const { db, notice } = openDatabase(join(folder, DATABASE));
    try {
      migrate(db);
      if (created !== null) {
        db.prepare('INSERT INTO study (id, uuid, name, synthetic, created_at) VALUES (1, ?, ?, ?, ?)').run(
          randomUUID(),
          created.name,
          created.synthetic ? 1 : 0,
          now(),
        );
      }
      const undo = createUndoLog(db);
      const context = { db, undo };
      const settings = createSettingRepository(context);
      const terms = createTermRepository(context, settings);
      const subjects = createSubjectPacker(db);
      const index = createRecordIndex(db, () => terms.active(), subjects);
      const curation = createCurationRepository(context, terms, index);
      return {
        folder,
        notice,
        settings,
        terms,
        curation,
        undo,
        sources: createSourceRepository(context),
        pubmed: createPubmedRepository(context),
        records: createRecordRepository(context, terms, index, subjects),
        decisions: createDecisionRepository(context),
        datasets: createDatasetRepository(context, curation, terms, index),
        models: createModelRepository(context),
        training: createTrainingRepository(context),
        pairs: createPairRepository(context),
        sweeps: createSweepRepository(context),
        blocks: createBlockRepository(context),
        comparisons: createComparisonRepository(context),
        externalResults: createExternalResultRepository(context),
        report: createReportRepository(context),
        jobs: createJobRepository(context),
        artifacts: createArtifactStore(db, folder),
        check: () => checkDatabase(db),
        transaction: (work) => db.transaction(work).immediate(),
        workFolder: (name) => makeWorkFolder(folder, name),
        dropWorkFolder: (name) => rmSync(join(folder, 'work', name), { recursive: true, force: true }),
        close: () => {
          closeDatabase(db);
          lock.release();
        },
      };
    } catch (error) {
      db.close();
      throw error;
    }
  } catch (error) {
    lock.release();
    throw error;
  }
}

function makeWorkFolder(folder: string, name: string): string {
  const path = join(folder, 'work', name);
  mkdirSync(path, { recursive: true });
  return path;
}
