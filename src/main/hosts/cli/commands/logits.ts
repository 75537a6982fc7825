import { toTokens, topTokens } from '../../../../shared/pairs/index.ts';
import type { CommandContext, CommandDefinition } from '../command.ts';
import { openFolderModel, withCompute, type ComputeFlags } from '../folder-model.ts';
import { parseBos, wholeNumber } from '../parse.ts';
import { promptIds, type PromptFlags } from '../prompt.ts';

interface LogitsFlags extends ComputeFlags, PromptFlags {
  readonly model: string;
  readonly top: string;
  readonly all?: boolean;
  readonly bos: string;
}

export const logitsCommand: CommandDefinition = (program, run) => {
  program
    .command('logits')
    .description('the next-token logits of a model folder for one prompt')
    .requiredOption('--model <dir>', 'Hugging Face model folder')
    .option('--text <text>', 'prompt as text; no space is added')
    .option('--ids <list>', 'prompt as token ids: 1,2,3')
    .option('--top <k>', 'how many tokens to list', '10')
    .option('--all', 'all logits of all positions')
    .option('--bos <choice>', 'auto, yes or no', 'auto')
    .option('--threads <n>', 'threads; 0 = one per core')
    .option('--provider <name>', 'cpu, cuda, dml or webgpu')
    .action(run(logits));
};

async function logits(context: CommandContext, flags: LogitsFlags): Promise<void> {
  const { terminal } = context;
  const opened = await openFolderModel(flags.model, parseBos(flags.bos));
  const ids = promptIds(flags, opened.context);
  const k = wholeNumber('--top', flags.top, 1);
  const everywhere = flags.all === true;
  const { provider, ...answer } = await withCompute(context, flags, async (compute) => {
    const result = await compute.logits({
      folder: opened.folder,
      prompts: [ids],
      ...(everywhere ? { positions: 'all' as const } : {}),
    });
    return { ...result, provider: (await compute.info()).provider };
  });
  const values = answer.logits[0] ?? new Float32Array();
  const rows = Array.from({ length: values.length / answer.vocabSize }, (_, row) =>
    values.subarray(row * answer.vocabSize, (row + 1) * answer.vocabSize),
  );
  const last = rows.at(-1) ?? new Float32Array();
  const top = topTokens(last, k).map(({ id, logit, probability }) => ({
    id,
    token: toTokens([id], opened.context)[0]?.text ?? '',
    logit,
    prob: probability,
  }));
  if (terminal.json) {
    terminal.result({
      ids,
      tokens: toTokens(ids, opened.context).map((token) => token.text),
      top,
      provider,
      ...(everywhere ? { logits: rows.map((row) => Array.from(row)) } : {}),
    });
    return;
  }
  for (const { id, token, logit, prob } of top) {
    terminal.say(
      `${logit.toFixed(4).padStart(10)}  ${(100 * prob).toFixed(2).padStart(6)} %  ${id}  ${JSON.stringify(token)}`,
    );
  }
}
