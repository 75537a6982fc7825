import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserInputError } from '../../shared/errors/index.ts';
import { REPORT_STYLE } from '../exporters/report/style.ts';
import { isStudyFolder } from '../store/index.ts';
import { nameOf } from './paths.ts';
import { reopenLast } from '../services/reopen.ts';
import { compose, type ComposeOptions, type Core } from './compose.ts';
import { styleHash } from '../shell/web/policy.ts';
import { startServer } from './http/server.ts';

export interface HeadlessOptions extends Omit<ComposeOptions, 'host'> {
  readonly port: number;
  /** Opened at once, created where there is none; null = the one that was open last, if any. */
  readonly study: string | null;
}

export interface HeadlessHost {
  readonly core: Core;
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/** The workbench for a browser on this machine. */
export async function startHeadless(options: HeadlessOptions): Promise<HeadlessHost> {
  const { paths, port, study } = options;
  if (!existsSync(join(paths.renderer, 'index.html'))) {
    throw new UserInputError(
      'NOT_BUILT',
      `The workbench's pages are not built: ${paths.renderer} has no index.html.`,
      'Run `npm run build` in the folder of Engram.',
    );
  }
  const core = compose({ ...options, host: 'browser' });
  const uploads = mkdtempSync(join(tmpdir(), 'engram-uploads-'));
  try {
    const { session } = core.context;
    if (study === null) await reopenLast(core.context, options.log ?? (() => undefined));
    else {
      await (isStudyFolder(study) ? session.open(study) : session.create(study, nameOf(study)));
    }
    const { router, bus, files } = core;
    const styles = [styleHash(REPORT_STYLE)];
    const server = await startServer({ port, renderer: paths.renderer, uploads, router, bus, files, styles });
    return {
      core,
      url: server.url,
      port: server.port,
      close: async () => {
        await server.close();
        await core.close();
        rmSync(uploads, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await core.close();
    rmSync(uploads, { recursive: true, force: true });
    throw error;
  }
}
