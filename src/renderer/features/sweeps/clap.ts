import type { EngramClient } from '../../../shared/contracts/index.ts';
import type { Model, PairSet } from '../../../shared/domain/index.ts';
import { CLAP_TABLES } from '../../../shared/published/index.ts';

/**
 * The set of the three published questions: one that the study has, or a new one drawn for a model with the target
 * tokens of the study's script. Null where none of them can be drawn.
 */
export async function clapPairs(
  client: Pick<EngramClient, 'pairs'>,
  modelId: Model['id'],
  name: string,
): Promise<PairSet['id'] | null> {
  const items = new Set(CLAP_TABLES.map(({ item }) => item));
  for (const set of (await client.pairs.sets({})).toReversed()) {
    const pairs = await client.pairs.list({ setId: set.id });
    const held = new Set(pairs.flatMap(({ line }) => (line.item === undefined ? [] : [line.item])));
    if (![...items].every((item) => held.has(item))) continue;
    // Spans count tokens: a set drawn for another tokenizer does not fit.
    const read = await Promise.all(pairs.map(({ line }) => client.pairs.tokens({ modelId, line })));
    if (!read.some(({ flags }) => flags.some(({ code }) => code === 'unknown-span'))) return set.id;
  }
  const spec = { task: 'clap' as const, targets: 'published' as const, count: CLAP_TABLES.length };
  const { set } = await client.pairs.generate({ modelId, spec, name });
  return set?.id ?? null;
}
