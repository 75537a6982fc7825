import { join } from 'node:path';
import type { OpenDialogOptions, SaveDialogOptions } from 'electron';
import { z } from 'zod';
import { CHANNELS, Download } from '../../shared/contracts/index.ts';
import { UserInputError } from '../../shared/errors/index.ts';
import type { CoreProcess } from './core.ts';
import { isOwnPage } from './security.ts';

/** Who calls: the frame must be the page itself. */
export interface CallerEvent {
  readonly senderFrame: { readonly url: string } | null;
}

export interface DialogEnvironment {
  handle(channel: string, listener: (event: CallerEvent, ...values: unknown[]) => Promise<unknown>): void;
  showOpen(options: OpenDialogOptions): Promise<{ canceled: boolean; filePaths: string[] }>;
  showSave(options: SaveDialogOptions): Promise<{ canceled: boolean; filePath: string }>;
  /** Folder in which a save dialog begins. */
  readonly downloads: string;
}

const PickFiles = z.object({
  extensions: z.array(z.string().regex(/^[\w.]{1,12}$/)).max(20),
  multiple: z.boolean(),
});

/** Answers the bridge's file calls. Every call is checked for its sender and its schema. */
export function registerDialogs(environment: DialogEnvironment, core: CoreProcess): void {
  const on = <S extends z.ZodType>(
    channel: string,
    schema: S,
    answer: (value: z.output<S>) => Promise<unknown>,
  ): void => {
    environment.handle(channel, (event, value) => {
      if (!isOwnPage(event.senderFrame?.url)) {
        return Promise.reject(
          new UserInputError('FOREIGN_SENDER', 'The call comes from another page.', 'Reload the window.'),
        );
      }
      return answer(schema.parse(value));
    });
  };

  on(CHANNELS.pickFiles, PickFiles, async ({ extensions, multiple }) => {
    const { canceled, filePaths } = await environment.showOpen({
      properties: ['openFile', ...(multiple ? (['multiSelections'] as const) : [])],
      filters: extensions.length === 0 ? [] : [{ name: 'Files', extensions }],
    });
    return canceled ? [] : core.register(filePaths);
  });
  on(CHANNELS.pickFolder, z.undefined(), async () => {
    const { canceled, filePaths } = await environment.showOpen({
      properties: ['openDirectory', 'createDirectory'],
    });
    return canceled ? null : ((await core.register(filePaths.slice(0, 1)))[0] ?? null);
  });
  on(CHANNELS.dropped, z.string().min(1), async (path) => (await core.register([path]))[0] ?? null);
  on(CHANNELS.save, Download, async ({ url, name }) => {
    const offer = /^\/download\/([\w-]+)$/.exec(url)?.[1];
    if (offer === undefined) return false;
    const { canceled, filePath } = await environment.showSave({
      defaultPath: join(environment.downloads, name),
    });
    if (canceled || filePath === '') return false;
    await core.save(offer, filePath);
    return true;
  });
}
