import { basename } from 'node:path';
import type { contract, ServiceHandlers } from '../../../shared/contracts/index.ts';
import type { CreateModelOptions, Model } from '../../../shared/domain/index.ts';
import { encodePrompt } from '../../../shared/pairs/index.ts';
import {
  checkModelFolder,
  createModel,
  openModelFolder,
  openTokenizer,
  parameterCount,
} from '../../models/index.ts';
import type { Study } from '../../store/index.ts';
import { modelImport } from '../../jobs/model-import.ts';
import { createHubMethods } from './hub.ts';
import type { ServiceContext } from '../context.ts';
import { bundledTokenizer } from './tokenizers.ts';
import { encodeContext, requireTokenizer, type ModelShelf } from './shelf.ts';

export function createModelsService(
  context: ServiceContext,
  shelf: ModelShelf,
  hub: () => string,
): ServiceHandlers<typeof contract.models> {
  const { session, files, interactive, emit } = context;
  const study = (): Study => session.require().study;
  const edited = (): void => {
    emit('changed', { what: 'models' });
    emit('changed', { what: 'history' });
  };
  return {
    list: () => study().models.list(),
    checkFolder: async ({ handle }) => {
      const folder = files.resolve(handle);
      const checks = await checkModelFolder(folder);
      return { ok: checks.every((check) => check.ok), name: basename(folder), checks };
    },
    importFolder: ({ handle, name }) => {
      const { queue } = session.require();
      const folder = files.resolve(handle);
      return { jobId: queue.start(modelImport, { folder, name: name ?? basename(folder) }).id };
    },
    ...createHubMethods(context, hub),
    create: async (options) => {
      const model = await createModelInStudy(study(), bundledTokenizer(options.tokenizer, context), options);
      emit('changed', { what: 'models' });
      return model;
    },
    rename: ({ id, name }) => {
      const model = study().models.rename(id, name);
      edited();
      return model;
    },
    remove: ({ id }) => {
      study().models.remove(id);
      edited();
      return {};
    },
    generate: async ({ id, prompt, tokens }) => {
      const opened = await shelf.open(study(), id);
      const tokenizer = requireTokenizer(opened);
      const started = performance.now();
      const { ids } = await interactive.generate({
        folder: opened.folder,
        ids: encodePrompt('prompt', prompt, encodeContext(opened)),
        tokens,
      });
      return { text: tokenizer.decodeInside(ids), milliseconds: performance.now() - started };
    },
  };
}

/** Makes a small GPT-2 with fresh weights and the tokenizer of a folder, and records it. */
export async function createModelInStudy(
  study: Study,
  tokenizerFolder: string,
  options: Omit<CreateModelOptions, 'tokenizer'>,
): Promise<Model> {
  const staged = study.artifacts.stage();
  const config = await createModel(options, staged, tokenizerFolder);
  const [folder, tokenizer] = await Promise.all([openModelFolder(staged), openTokenizer(staged)]);
  const weightsHash = await folder.weightsHash();
  return study.artifacts.putFolder(staged, options.name, (artifact) =>
    study.models.insert({
      name: options.name,
      origin: 'created',
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
}
