import type { FigureRequest } from '../../shared/contracts/index.ts';
import type { FigureOptions } from '../../shared/domain/index.ts';
import type { Workbench } from '../state/workbench.svelte.ts';

/** Draws a figure at its print size and offers it to be saved. */
export async function saveFigure(
  { client, errors, files }: Pick<Workbench, 'client' | 'errors' | 'files'>,
  figure: FigureRequest,
  options: FigureOptions,
): Promise<void> {
  await errors.run(async () => files.save(await client.report.figure({ figure, options })));
}
