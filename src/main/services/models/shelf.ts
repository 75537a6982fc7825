import type { Model, ModelId } from '../../../shared/domain/index.ts';
import { UserInputError } from '../../../shared/errors/index.ts';
import { bosTokenFor, type BosChoice, type EncodeContext } from '../../../shared/pairs/index.ts';
import { openTokenizer, type TextTokenizer } from '../../models/index.ts';
import type { Study } from '../../store/index.ts';

/** A model of a study, ready for use. */
export interface ShelvedModel {
  readonly model: Model;
  /** Its Hugging Face folder. */
  readonly folder: string;
  readonly tokenizer: TextTokenizer | null;
}

/** Models with their tokenizers; a tokenizer is read once per folder. */
export interface ModelShelf {
  /** Throws UserInputError `NOT_IN_STUDY`, StoreError `ARTIFACT_MISSING`. */
  open(study: Study, id: ModelId): Promise<ShelvedModel>;
  /** The folder alone, at once. Throws as `open` does. */
  folder(study: Study, id: ModelId): string;
}

/** Tokenizers kept in memory; GPT-2's takes about 20 MB. */
const KEPT = 8;

export function createModelShelf(): ModelShelf {
  const tokenizers = new Map<string, Promise<TextTokenizer | null>>();
  const tokenizerOf = (folder: string): Promise<TextTokenizer | null> => {
    const known = tokenizers.get(folder) ?? openTokenizer(folder);
    tokenizers.delete(folder);
    tokenizers.set(folder, known);
    known.catch(() => tokenizers.delete(folder));
    for (const oldest of tokenizers.keys()) {
      if (tokenizers.size <= KEPT) break;
      tokenizers.delete(oldest);
    }
    return known;
  };
  const folderOf = (study: Study, id: ModelId): string => study.artifacts.path(study.models.artifactOf(id));
  return {
    open: async (study, id) => {
      const model = study.models.get(id);
      const folder = folderOf(study, id);
      return { model, folder, tokenizer: await tokenizerOf(folder) };
    },
    folder: folderOf,
  };
}

/** How pairs become ids under a model. */
export function encodeContext({ model, tokenizer }: ShelvedModel, bos: BosChoice = 'auto'): EncodeContext {
  const { config } = model;
  return {
    tokenizer,
    bos: bosTokenFor(bos, config.bosTokenId, tokenizer?.addsBos ?? false),
    vocabSize: config.vocabSize,
    nCtx: config.nCtx,
  };
}

/** The tokenizer of a model that has to read text. Throws UserInputError `MODEL_NO_TOKENIZER`. */
export function requireTokenizer({ model, tokenizer }: ShelvedModel): TextTokenizer {
  if (tokenizer !== null) return tokenizer;
  throw new UserInputError(
    'MODEL_NO_TOKENIZER',
    `The model ${model.name} has no tokenizer, so it cannot read text.`,
    'Import it again with tokenizer.json in its folder.',
  );
}
