import { Command, CommanderError } from 'commander';
import { exitCodeOf, toEngramError, UserInputError } from '../../../shared/errors/index.ts';
import { appPaths } from '../paths.ts';
import type { Run } from './command.ts';
import { COMMANDS } from './commands/index.ts';
import { createTerminal, type Streams } from './terminal.ts';

/**
 * Runs one command line (without `node` and the script) and returns the exit code: 0, 1 (failed) or 2 (bad
 * usage or input). Errors are one line on stderr.
 */
export async function runCli(args: readonly string[], streams?: Streams): Promise<number> {
  const paths = appPaths();
  const program = new Command('engram')
    .description('Finds where a language model keeps a piece of knowledge.')
    .version(paths.version)
    .option('--json', 'machine-readable output')
    .option('--data <dir>', 'folder for settings, recent studies and new studies')
    .exitOverride()
    .showHelpAfterError(false)
    .configureOutput({ writeErr: () => undefined });
  const terminal = createTerminal(args.includes('--json'), streams);
  const run: Run =
    (action) =>
    (...values) => {
      const { data } = program.opts<{ data?: string }>();
      return action({ terminal, paths, data }, ...values);
    };
  for (const define of COMMANDS) define(program, run);
  for (const command of allCommands(program)) {
    // Options of every command, wherever they stand on the line.
    if (command !== program)
      command
        .option('--json', 'machine-readable output')
        .exitOverride()
        .configureOutput({ writeErr: () => undefined });
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
    return 0;
  } catch (error) {
    const failure = fromCommander(error);
    if (failure === null) return 0;
    terminal.fail(failure);
    return exitCodeOf(failure);
  }
}

function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allCommands)];
}

/** Usage errors as ours; null for `--help` and `--version`, which commander ends by throwing. */
function fromCommander(error: unknown): unknown {
  if (!(error instanceof CommanderError)) return toEngramError(error);
  if (error.exitCode === 0) return null;
  if (error.code === 'commander.help') {
    return new UserInputError('USAGE', 'No command was given.', 'See `engram --help`.');
  }
  const message = error.message.replace(/^error: /, '').replace(/\n.*$/s, '');
  return new UserInputError('USAGE', `${message}.`, 'See `engram --help`.');
}
