import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import type { CommandContext, CommandDefinition } from '../command.ts';
import { computeChoice, type ComputeFlags } from '../folder-model.ts';
import { wholeNumber } from '../parse.ts';
import { userFolders } from '../../paths.ts';

interface ServeFlags extends ComputeFlags {
  readonly port: string;
  readonly study?: string;
  readonly open: boolean;
}

export const serveCommand: CommandDefinition = (program, run) => {
  program
    .command('serve')
    .description('the workbench in a browser on this machine')
    .option('--port <n>', 'port; 0 = any free one', '0')
    .option('--study <dir>', 'study to open; created where there is none')
    .option('--no-open', 'do not open a browser')
    .option('--threads <n>', 'threads; 0 = one per core')
    .option('--provider <name>', 'cpu, cuda, dml or webgpu')
    .action(run(serve));
};

async function serve(context: CommandContext, flags: ServeFlags): Promise<void> {
  const { terminal, paths, data } = context;
  const { startHeadless } = await import('../../headless.ts');
  const host = await startHeadless({
    paths,
    folders: userFolders(data),
    port: wholeNumber('--port', flags.port, 0),
    study: flags.study === undefined ? null : resolve(flags.study),
    log: (line) => process.stderr.write(`${line}\n`),
    ...computeChoice(flags),
  });
  if (terminal.json) terminal.result({ url: host.url, port: host.port });
  else terminal.say(host.url);
  if (flags.open && !terminal.json) openBrowser(host.url);
  await untilAskedToEnd();
  await host.close();
}

/** The system's way to open an address, by platform. */
const OPENERS: Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>> = {
  darwin: ['open'],
  win32: ['cmd', '/c', 'start', ''],
  linux: ['xdg-open'],
};

/** Opens the address where a desktop is there to do so; the printed line serves everywhere else. */
function openBrowser(url: string): void {
  const [command, ...args] = OPENERS[process.platform] ?? ['xdg-open'];
  const child = spawn(command, [...args, url], { stdio: 'ignore', detached: true });
  child.on('error', () => undefined);
  child.unref();
}

function untilAskedToEnd(): Promise<void> {
  return new Promise((resolveEnd) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        resolveEnd();
      });
    }
  });
}
