import { resolve } from 'node:path';
import { z } from 'zod';
import {
  PresetName,
  TrainingConfig,
  TRAINING_PRESETS,
  type Dataset,
  type Model,
} from '../../../../shared/domain/index.ts';
import { UserInputError } from '../../../../shared/errors/index.ts';
import type { Study } from '../../../store/index.ts';
import type { CommandContext, CommandDefinition } from '../command.ts';
import type { ComputeFlags } from '../folder-model.ts';
import { readJsonFile } from '../parse.ts';
import { withStudy } from '../study.ts';

interface TrainFlags extends ComputeFlags {
  readonly model: string;
  readonly dataset: string;
  readonly config: string;
  readonly name?: string;
}

const ConfigFile = z.strictObject({ ...TrainingConfig.partial().shape, preset: PresetName.default('quick') });

export const trainCommand: CommandDefinition = (program, run) => {
  program
    .command('train')
    .description('fine-tune a model of a study on one of its datasets')
    .argument('<study>', 'study folder')
    .requiredOption('--model <name>', 'model, by name or number')
    .requiredOption('--dataset <name>', 'dataset, by name or number')
    .requiredOption(
      '--config <which>',
      'quick, I, I-text, II, II-text, or a JSON file with values over a preset',
    )
    .option('--name <name>', 'name of the run and its model')
    .option('--threads <n>', 'threads; 0 = one per core')
    .option('--provider <name>', 'cpu, cuda, dml or webgpu')
    .action(run(train));
};

async function train(context: CommandContext, folder: string, flags: TrainFlags): Promise<void> {
  const { terminal } = context;
  const config = readConfig(flags.config);
  await withStudy(context, flags, folder, null, async ({ client, context: services }) => {
    const { study, queue } = services.session.require();
    const model = findModel(study, flags.model);
    const dataset = findDataset(study, flags.dataset);
    const name = flags.name ?? `${model.name} ${config.preset}`;
    const { runId, jobId } = await client.training.start({
      modelId: model.id,
      datasetId: dataset.id,
      config,
      name,
    });
    await queue.wait(jobId);
    const run = study.training.get(runId);
    const tuned = run.modelId === null ? null : study.models.get(run.modelId);
    if (terminal.json)
      terminal.result({
        run,
        epochs: study.training.epochs(runId),
        base: study.models.get(model.id),
        model: tuned,
      });
    terminal.say(
      `Run ${run.id}: best epoch ${run.bestEpoch ?? '–'}, validation loss ${run.bestValidationLoss?.toFixed(4) ?? '–'}`,
    );
    if (tuned !== null) terminal.say(`Model ${tuned.id}: ${tuned.name}`);
  });
}

function readConfig(which: string): TrainingConfig {
  const preset = PresetName.safeParse(which);
  if (preset.success) return TRAINING_PRESETS[preset.data];
  const own = readJsonFile(resolve(which), ConfigFile);
  const given = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
  return TrainingConfig.parse({ ...TRAINING_PRESETS[own.preset], ...given, preset: 'own' });
}

export function findModel(study: Study, name: string): Model {
  const model = study.models.find(name);
  if (model !== undefined) return model;
  const names = study.models.list().map((m) => m.name);
  throw new UserInputError(
    'MODEL_UNKNOWN',
    `The study has no model “${name}”.`,
    `It has: ${names.join(', ') || 'none'}.`,
  );
}

function findDataset(study: Study, name: string): Dataset {
  const dataset = study.datasets.find(name);
  if (dataset !== undefined) return dataset;
  const names = study.datasets.list().map((d) => d.name);
  throw new UserInputError(
    'DATASET_UNKNOWN',
    `The study has no dataset “${name}”.`,
    `It has: ${names.join(', ') || 'none; freeze one first'}.`,
  );
}
