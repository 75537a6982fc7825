import type { CommandDefinition } from '../command.ts';
import { importCommand } from './import.ts';
import { logitsCommand } from './logits.ts';
import { modelCommand } from './model.ts';
import { pairsCommand } from './pairs.ts';
import { patchCommand } from './patch.ts';
import { resultsCommand } from './results.ts';
import { demoCommand, runCommand } from './run.ts';
import { serveCommand } from './serve.ts';
import { exportCommand, reportCommand, verifyCommand } from './study-output.ts';
import { sweepCommand } from './sweep.ts';
import { trainCommand } from './train.ts';
import { attentionCommand, dlaCommand, lensCommand } from './views.ts';

/** Every command, in the order of the help page. */
export const COMMANDS: readonly CommandDefinition[] = [
  demoCommand,
  serveCommand,
  runCommand,
  importCommand,
  modelCommand,
  trainCommand,
  pairsCommand,
  patchCommand,
  sweepCommand,
  resultsCommand,
  logitsCommand,
  lensCommand,
  dlaCommand,
  attentionCommand,
  exportCommand,
  reportCommand,
  verifyCommand,
];
