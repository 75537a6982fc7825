import { attention } from './attention.ts';
import { attentionOutcomeHandler } from './attentionOutcome.ts';
import { attributeHandler, planAttribute } from './attribute.ts';
import { dla } from './dla.ts';
import { evaluate } from './evaluate.ts';
import { generate } from './generate.ts';
import type { HandlerTable } from './handler.ts';
import { info } from './info.ts';
import { lens } from './lens.ts';
import { load, release } from './load.ts';
import { logits } from './logits.ts';
import { patchHandler, planPatch } from './patch.ts';
import { selfCheck } from './selfCheck.ts';
import { train } from './train.ts';

/** What the compute process answers: one entry per method of the API. */
export const HANDLERS: HandlerTable = {
  info,
  selfCheck,
  load,
  logits,
  generate,
  evaluate,
  train,
  release,
  planPatch,
  patch: patchHandler,
  planAttribute,
  attribute: attributeHandler,
  lens,
  dla,
  attention,
  attentionOutcome: attentionOutcomeHandler,
};
