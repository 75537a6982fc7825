import { resolve } from 'node:path';
import type { Job } from '../../../shared/domain/index.ts';
import type { Core } from '../compose.ts';
import { userFolders } from '../paths.ts';
import type { CommandContext } from './command.ts';
import { computeChoice, noteFallback, type ComputeFlags } from './folder-model.ts';
import type { Terminal } from './terminal.ts';

/**
 * Runs `work` with the services of this process, progress on stderr. Closes everything afterwards; on
 * Ctrl-C jobs are interrupted so that they continue when the study is next opened.
 */
async function withCore<T>(
  { paths, data, terminal }: CommandContext,
  flags: ComputeFlags,
  work: (core: Core) => Promise<T>,
): Promise<T> {
  // Loaded here, so that commands without a study start at once.
  const { compose } = await import('../compose.ts');
  const core = compose({ paths, folders: userFolders(data), host: 'browser', ...computeChoice(flags) });
  let moved: number | null = null;
  const unsubscribe = core.bus.subscribe((event) => {
    if (event.event === 'trainingStep') moved = event.payload.bytesPerStep;
    if (event.event === 'job') terminal.progress(jobLine(event.payload, moved));
  });
  const interrupted = (): void => {
    void core.close().finally(() => process.exit(1));
  };
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  try {
    const result = await work(core);
    await noteFallback(terminal, core.compute);
    return result;
  } finally {
    process.off('SIGINT', interrupted);
    process.off('SIGTERM', interrupted);
    unsubscribe();
    await core.close();
  }
}

/** As `withCore`, in the study of a folder; `create` makes one where there is none, with this name. */
export async function withStudy<T>(
  context: CommandContext,
  flags: ComputeFlags,
  folder: string,
  create: { readonly name: string; readonly synthetic?: boolean } | null,
  work: (core: Core) => Promise<T>,
): Promise<T> {
  const path = resolve(folder);
  return withCore(context, flags, async (core) => {
    const { isStudyFolder } = await import('../../store/index.ts');
    const { session } = core.context;
    if (create !== null && !isStudyFolder(path)) {
      await session.create(path, create.name, { synthetic: create.synthetic ?? false });
    } else await session.open(path);
    return work(core);
  });
}

/** `Sweep S-01: 12 of 40 blocks, 8 s left`; with training, how many bytes a step lately moved in and out of runs. */
function jobLine({ title, kind, progress }: Job, moved: number | null): string {
  const { done, total, unit, secondsLeft, message } = progress;
  const parts = [
    total === null ? `${done} ${unit}` : `${done} of ${total} ${unit}`,
    ...(message === '' ? [] : [message]),
    ...(kind === 'train' && moved !== null ? [`${(moved / 2 ** 20).toFixed(1)} MB moved a step`] : []),
    ...(secondsLeft === null ? [] : [`${Math.ceil(secondsLeft)} s left`]),
  ];
  return `  ${title}: ${parts.join(', ')}`;
}

/** A step of a longer command, numbered. */
export function stepLine(terminal: Terminal, index: number, total: number, text: string): void {
  terminal.note(`[${index}/${total}] ${text}`);
}
