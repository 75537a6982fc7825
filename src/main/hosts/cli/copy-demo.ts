import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { UserInputError } from '../../../shared/errors/index.ts';
import { copyLines, localiseCopy } from '../../services/copy-demo/localise.ts';
import { COPY_TRAINING, trainCopyModel } from '../../services/copy-demo/recipe.ts';
import { findingsLines } from '../../services/copy-demo/report.ts';
import { formatPairs } from '../../services/pairs/parse.ts';
import type { CommandContext } from './command.ts';
import { openFolderModel, withCompute, type ComputeFlags } from './folder-model.ts';

const PAIRS = 48;
const VERIFIED = 4;

/**
 * `engram demo --copy`: trains a two-layer model that copies in context, and finds the heads that do it by attention,
 * by exact patching and by attribution patching. Writes to `out`: `model` (a Hugging Face folder), `pairs.jsonl`,
 * `localisation.json`.
 */
export async function copyDemo(context: CommandContext, flags: ComputeFlags, out: string): Promise<void> {
  const { terminal } = context;
  await mkdir(out, { recursive: true });
  await withCompute(context, flags, async (compute) => {
    const { folder } = await trainCopyModel(compute, out, (event) => {
      if (event.type === 'epoch') {
        const { epoch, validationLoss } = event.point;
        terminal.note(
          `Epoch ${epoch} of ${COPY_TRAINING.epochs}: validation loss ${validationLoss.toFixed(3)}`,
        );
      }
    });
    const { context: encoding, tokenizer } = await openFolderModel(folder, 'no');
    if (tokenizer === null) {
      throw new UserInputError('TOKENIZER_MISSING', `${folder} has no tokenizer.`, 'Run the demo again.');
    }
    const probe = {
      folder,
      tokenizer,
      context: encoding,
      seed: COPY_TRAINING.seed,
      pairs: PAIRS,
      verify: VERIFIED,
    };
    const findings = await localiseCopy(compute, probe);
    await writeFileAtomic(join(out, 'pairs.jsonl'), formatPairs(copyLines(probe)));
    await writeFileAtomic(join(out, 'localisation.json'), `${JSON.stringify(findings, null, 1)}\n`);
    if (terminal.json) terminal.result(findings);
    else for (const line of ['', ...findingsLines(findings), '', `Written to ${out}`]) terminal.say(line);
  });
}
