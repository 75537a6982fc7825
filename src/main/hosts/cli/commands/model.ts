import { resolve } from 'node:path';
import { ModelId, type Model } from '../../../../shared/domain/index.ts';
import { z } from 'zod';
import { modelImport } from '../../../jobs/model-import.ts';
import { createModelInStudy } from '../../../services/models/service.ts';
import { tokenizerFolder } from '../../../services/models/tokenizers.ts';
import { nameOf } from '../../paths.ts';
import type { CommandContext, CommandDefinition } from '../command.ts';
import { wholeNumber } from '../parse.ts';
import { withStudy } from '../study.ts';
import { defineModelGet } from './model-get.ts';

interface CreateFlags {
  readonly name: string;
  readonly layers: string;
  readonly heads: string;
  readonly width: string;
  readonly context: string;
  readonly tokenizer: string;
  readonly seed: string;
}

export const modelCommand: CommandDefinition = (program, run) => {
  const model = program.command('model').description('get, import or create a model');
  defineModelGet(model, run);
  model
    .command('import')
    .description('import a Hugging Face folder')
    .argument('<study>', 'study folder; created where there is none')
    .argument('<dir>', 'model folder')
    .option('--name <name>', 'name in the study; default: the folder’s')
    .action(run(importModel));
  model
    .command('create')
    .description('create a small GPT-2 with fresh weights')
    .argument('<study>', 'study folder; created where there is none')
    .option('--name <name>', 'name in the study', 'small-gpt2')
    .option('--layers <n>', 'layers', '4')
    .option('--heads <n>', 'heads', '4')
    .option('--width <n>', 'width; a multiple of the heads', '128')
    .option('--context <n>', 'longest sequence in tokens', '256')
    .option('--tokenizer <name>', 'gpt2, sample, or a folder with a tokenizer', 'gpt2')
    .option('--seed <n>', 'seed of the weights', '42')
    .action(run(createModel));
};

async function importModel(
  context: CommandContext,
  folder: string,
  source: string,
  { name }: { readonly name?: string },
): Promise<void> {
  const path = resolve(source);
  await withStudy(context, {}, folder, { name: nameOf(resolve(folder)) }, async ({ context: services }) => {
    const { study, queue } = services.session.require();
    const { id } = queue.start(modelImport, { folder: path, name: name ?? nameOf(path) });
    const { modelId } = z.object({ modelId: ModelId }).parse((await queue.wait(id)).result);
    show(context, study.models.get(modelId));
  });
}

async function createModel(context: CommandContext, folder: string, flags: CreateFlags): Promise<void> {
  const whole = (option: string, text: string): number => wholeNumber(option, text, 0);
  const options = {
    name: flags.name,
    nLayer: whole('--layers', flags.layers),
    nHead: whole('--heads', flags.heads),
    dModel: whole('--width', flags.width),
    nCtx: whole('--context', flags.context),
    seed: whole('--seed', flags.seed),
  };
  await withStudy(context, {}, folder, { name: nameOf(resolve(folder)) }, async ({ context: services }) => {
    const tokenizer = tokenizerFolder(flags.tokenizer, services, resolve);
    show(context, await createModelInStudy(services.session.require().study, tokenizer, options));
  });
}

export function show({ terminal }: CommandContext, model: Model): void {
  if (terminal.json) terminal.result(model);
  else
    terminal.say(
      `Model ${model.id}: ${model.name}, ${model.parameters.toLocaleString('en')} parameters, ${model.tokenizer}`,
    );
}
