import type { ModelConfig } from '../../../shared/domain/index.ts';

/** A weight the family cannot do without, under its canonical name. */
export interface WeightSpec {
  readonly name: string;
  readonly shape: readonly number[];
  /** How a fresh model draws it: `normal` with this standard deviation, or one value throughout. */
  readonly init: { readonly normal: number } | { readonly constant: number };
}

/** How one model family stands in a Hugging Face folder. */
export interface FolderFamily {
  readonly family: ModelConfig['family'];
  /** The `model_type`s of config.json that it reads. */
  readonly modelTypes: readonly string[];
  /** For people: `GPT-2`. */
  readonly label: string;
  /**
   * config.json → what the engine needs. `path` names the file in errors.
   * Throws FormatError `MODEL_CONFIG_INVALID`, UserInputError `MODEL_OPTION_UNSUPPORTED`.
   */
  parse(json: unknown, path: string): ModelConfig;
  /** The reverse: an object for config.json that transformers loads. */
  toHuggingFace(config: ModelConfig): Record<string, unknown>;
  /** Every weight, in the order in which a checkpoint lists them. */
  weights(config: ModelConfig): readonly WeightSpec[];
  /** Canonical name → the name transformers writes. */
  fileName(weight: string): string;
  /** A name found in a file → its canonical name. */
  canonicalName(inFile: string): string;
}
