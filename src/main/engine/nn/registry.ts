import type { ModelConfig } from '../../../shared/domain/index.ts';
import type { DecoderFamily, FamilyBuilder } from './family.ts';
import { gpt2Family } from './gpt2-rows.ts';
import { gptjFamily } from './gptj-rows.ts';
import { llamaFamily } from './llama-rows.ts';
import { neoxFamily } from './neox-rows.ts';

/** One entry per model family; `family` in the configuration chooses. */
const FAMILIES: Readonly<Record<ModelConfig['family'], FamilyBuilder>> = {
  gpt2: gpt2Family,
  llama: llamaFamily,
  gpt_neox: neoxFamily,
  gptj: gptjFamily,
};

export function familyOf(config: ModelConfig): DecoderFamily {
  return FAMILIES[config.family](config);
}
