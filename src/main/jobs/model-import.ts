import { z } from 'zod';
import type { Model } from '../../shared/domain/index.ts';
import { copyModelFolder, openModelFolder, openTokenizer, parameterCount } from '../models/index.ts';
import { defineJob, type JobContext, type JobOutcome } from './definition.ts';

/** Copies a Hugging Face folder into the study, checked and hashed. */
export const modelImport = defineJob({
  kind: 'model-import',
  params: z.object({ folder: z.string(), name: z.string().trim().min(1).max(80) }),
  heavy: false,
  title: ({ name }) => `Import model ${name}`,
  run: async (context) => imported(await importModelFolder(context)),
});

type ImportContext = Pick<
  JobContext<{ readonly folder: string; readonly name: string }>,
  'params' | 'study' | 'signal' | 'progress' | 'log' | 'emit'
>;

/** What an import has come to. */
export function imported(model: Model): JobOutcome {
  return {
    summary: `${model.name}: ${model.parameters.toLocaleString('en')} parameters`,
    result: { modelId: model.id },
  };
}

/** Takes a model folder into the study; done again after an interruption it finds what it recorded. */
export async function importModelFolder(context: ImportContext): Promise<Model> {
  const { params, study, signal, progress, log, emit } = context;
  const { folder, name } = params;
  progress(0, 3, 'steps', 'checking the folder');
  const [checked, tokenizer] = await Promise.all([openModelFolder(folder), openTokenizer(folder)]);
  signal.throwIfAborted();
  progress(1, 3, 'steps', 'copying');
  const staged = study.artifacts.stage();
  await copyModelFolder(folder, staged);
  signal.throwIfAborted();
  progress(2, 3, 'steps', 'computing checksums');
  const weightsHash = await (await openModelFolder(staged)).weightsHash();
  signal.throwIfAborted();
  const { config } = checked;
  const model = await study.artifacts.putFolder(
    staged,
    name,
    (artifact) =>
      // An interrupted attempt may have recorded the model just before it ended.
      study.models.list().find((m) => m.weightsHash === weightsHash && m.name === name) ??
      study.models.insert({
        name,
        origin: 'imported',
        parentId: null,
        trainingRunId: null,
        config,
        parameters: parameterCount(config),
        bytes: artifact.bytes,
        tokenizer: tokenizer?.description ?? 'none',
        weightsHash,
        evaluation: null,
        artifactHash: artifact.hash,
      }),
  );
  emit('changed', { what: 'models' });
  progress(3, 3, 'steps', 'done');
  log(`weights ${weightsHash}`);
  return model;
}
