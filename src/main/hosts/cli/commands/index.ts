import type { CommandDefinition } from '../command.ts';
import { logitsCommand } from './logits.ts';
import { patchCommand } from './patch.ts';

/** Every command, in the order of the help page. */
export const COMMANDS: readonly CommandDefinition[] = [patchCommand, logitsCommand];
