import type { ServiceContext } from './context.ts';
import { createRecentStudies } from './recent.ts';

/**
 * Opens the study that was open when the application last ended, so that a person goes on where they
 * stopped and interrupted jobs continue. A study that cannot be opened is left to the list on Home.
 */
export async function reopenLast(context: ServiceContext, log: (line: string) => void): Promise<void> {
  const folder = createRecentStudies(context.dataFolder).last();
  if (folder === null) return;
  try {
    await context.session.open(folder);
  } catch (error) {
    log(`${folder} was not opened again: ${error instanceof Error ? error.message : String(error)}`);
  }
}
