import type { Command } from 'commander';
import type { AppPaths } from '../paths.ts';
import type { Terminal } from './terminal.ts';

/** What every command gets. */
export interface CommandContext {
  readonly terminal: Terminal;
  readonly paths: AppPaths;
  /** `--data DIR`: where settings and recent studies are kept, instead of the system's place. */
  readonly data: string | undefined;
}

/** Makes the context once the options are parsed. */
export type Run = <A extends unknown[]>(
  action: (context: CommandContext, ...values: A) => Promise<void>,
) => (...values: A) => Promise<void>;

/** One command: declares itself on the program. */
export type CommandDefinition = (program: Command, run: Run) => void;
