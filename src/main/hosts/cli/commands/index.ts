import type { CommandDefinition } from '../command.ts';
import { logitsCommand } from './logits.ts';
import { patchCommand } from './patch.ts';
import { demoCommand, runCommand } from './run.ts';
import { serveCommand } from './serve.ts';

/** Every command, in the order of the help page. */
export const COMMANDS: readonly CommandDefinition[] = [
  demoCommand,
  serveCommand,
  runCommand,
  patchCommand,
  logitsCommand,
];
