import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import type { EngramContract, ServiceHandlers, StudyCounts } from '../../shared/contracts/index.ts';
import { StoreError, UserInputError } from '../../shared/errors/index.ts';
import { importJob } from '../jobs/import.ts';
import { oneByOne, type Study } from '../store/index.ts';
import type { OpenStudy, ServiceContext } from './context.ts';
import { parsePairsStrictly } from './pairs/parse.ts';
import { createRecentStudies } from './recent.ts';
import { studyInfo } from './session.ts';

const SAMPLE_NAME = 'Sample study';
/** In `resources/sample`. */
const SAMPLE_ABSTRACTS = ['synthetic-abstracts.xml.gz', 'synthetic-abstracts.csv'];
const SAMPLE_PAIRS = 'pairs.jsonl';

/** Implements `studies`: which study is open, its counts, undo and redo. */
export function createStudiesService(context: ServiceContext): ServiceHandlers<EngramContract['studies']> {
  const { session, files, emit } = context;
  const recent = createRecentStudies(context.dataFolder);

  return {
    recent: () => recent.list().map((study) => studyInfo(study, files)),
    current: () => {
      const open = session.current();
      return { study: open?.info ?? null, counts: open === null ? null : countsOf(open.study) };
    },
    create: async ({ name, parent }) => {
      const folder = parent === null ? context.studiesFolder : files.resolve(parent);
      return (await session.create(freeFolder(folder, name), name)).info;
    },
    open: async ({ handle }) => (await session.open(files.resolve(handle))).info,
    openSample: async () =>
      (await createSampleStudy(context, freeFolder(context.studiesFolder, SAMPLE_NAME))).info,
    close: async () => {
      await session.close();
      recent.forgetLast();
      return {};
    },
    history: () => session.require().study.undo.history(),
    undo: async () => {
      const undone = await oneByOne(session.require().study.undo.undoSteps());
      if (undone !== null) announce(undone.what);
      return { undone: undone?.label ?? null };
    },
    redo: async () => {
      const redone = await oneByOne(session.require().study.undo.redoSteps());
      if (redone !== null) announce(redone.what);
      return { redone: redone?.label ?? null };
    },
  };

  function announce(what: Parameters<typeof emit<'changed'>>[1]['what']): void {
    emit('changed', { what });
    emit('changed', { what: 'history' });
  }
}

/**
 * Makes a study of the bundled synthetic sample: its abstracts imported by the ordinary import, its pairs
 * ready. Throws UserInputError `SAMPLE_MISSING` where the application came without it.
 */
export async function createSampleStudy(context: ServiceContext, folder: string): Promise<OpenStudy> {
  const sample = join(context.resources, 'sample');
  const missing = [...SAMPLE_ABSTRACTS, SAMPLE_PAIRS].some((name) => !existsSync(join(sample, name)));
  if (missing) {
    throw new UserInputError(
      'SAMPLE_MISSING',
      'The sample study did not come with this Engram.',
      'Install Engram again, or import files of your own.',
    );
  }
  const open = await context.session.create(folder, SAMPLE_NAME, { synthetic: true });
  const { id } = open.queue.start(importJob, {
    files: SAMPLE_ABSTRACTS.map((name) => ({ path: join(sample, name), name })),
    sample: true,
  });
  await open.queue.wait(id);
  const pairs = parsePairsStrictly(readFileSync(join(sample, SAMPLE_PAIRS), 'utf8'), SAMPLE_PAIRS);
  open.study.pairs.createSet('Sample pairs', pairs);
  context.emit('changed', { what: 'pairs' });
  return open;
}

function countsOf(study: Study): z.input<typeof StudyCounts> {
  return {
    records: study.records.count(),
    undecided: study.records.undecided(),
    datasets: study.datasets.count(),
    models: study.models.count(),
    pairs: study.pairs.count(),
    sweeps: study.sweeps.count(),
    comparisons: study.comparisons.count(),
  };
}

/** A folder that does not exist yet, named after a study; numbered when the name is taken. */
function freeFolder(parent: string, name: string): string {
  // Characters that one of the systems refuses in file names.
  const safe =
    name
      .replace(/[<>:"/\\|?*\p{Cc}\s]+/gu, ' ')
      .replace(/[. ]+$/, '')
      .trim() || 'Study';
  for (let n = 1; n < 10_000; n++) {
    const folder = join(parent, n === 1 ? safe : `${safe} ${n}`);
    if (!existsSync(folder) || readdirSync(folder).length === 0) return folder;
  }
  throw new StoreError(
    'STUDY_NOT_WRITABLE',
    `${parent} is full of studies called "${safe}".`,
    'Choose another name.',
  );
}
