import { common } from './en/common.ts';
import { compare } from './en/compare.ts';
import { curate } from './en/curate.ts';
import { frame } from './en/frame.ts';
import { getModel } from './en/getModel.ts';
import { home } from './en/home.ts';
import { library } from './en/library.ts';
import { models } from './en/models.ts';
import { pairs } from './en/pairs.ts';
import { tasks } from './en/tasks.ts';
import { report } from './en/report.ts';
import { settings } from './en/settings.ts';
import { readings } from './en/readings.ts';
import { sweepAdvanced } from './en/sweepAdvanced.ts';
import { sweeps } from './en/sweeps.ts';
import { training } from './en/training.ts';

/** The catalogue: one file per page, each sentence once. Sentences with values are functions. */
export const en = {
  common,
  frame,
  home,
  library,
  curate,
  models,
  getModel,
  training,
  pairs,
  tasks,
  sweeps,
  sweepAdvanced,
  readings,
  compare,
  report,
  settings,
};
export type Messages = typeof en;
