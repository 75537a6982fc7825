import type { HookName, PairLine, PatchVerification } from '../../../shared/domain/index.ts';
import { preparePairs, type EncodeContext } from '../../../shared/pairs/index.ts';
import { rankAgreement, type RankAgreement } from '../../engine/stats/index.ts';
import { LETTERS, openTask } from '../../engine/tasks/index.ts';
import type { TextTokenizer } from '../../models/index.ts';
import type { ComputeApi, PatchBlock, PatchRequest } from '../../runtime/api.ts';
import { verifyTop } from '../sweeps/exact.ts';
import { gridsFor } from '../sweeps/positions.ts';
import { assembleResult } from '../sweeps/result.ts';
import { followers, headScores, type HeadScore } from './headScores.ts';
import { copySequences, LANGUAGE } from './recipe.ts';

/** A head's activation, its recovery when patched exactly, and what attribution patching makes of it. */
export interface HeadEffect {
  readonly hook: HookName;
  readonly layer: number;
  readonly head: number;
  readonly exact: number | null;
  readonly estimated: number | null;
}

export interface CopyFindings {
  /** Share of the tokens foretold by the sequence that the model's likeliest token hits, on fresh sequences. */
  readonly accuracy: number;
  readonly asked: number;
  /** From attention patterns alone. */
  readonly scores: readonly HeadScore[];
  /** From patching: recoveries of heads over the pairs. */
  readonly pairs: number;
  readonly effects: readonly HeadEffect[];
  /** AtP against exact patching, hook by hook. */
  readonly agreement: readonly { readonly hook: HookName; readonly agreement: RankAgreement }[];
  /** "AtP, then verify the strongest exactly". */
  readonly verified: readonly PatchVerification[];
}

/** What of a head is patched: its output, its keys, its queries, its values. */
const HOOKS = [
  'blocks.{layer}.attn.hook_z',
  'blocks.{layer}.attn.hook_k',
  'blocks.{layer}.attn.hook_q',
  'blocks.{layer}.attn.hook_v',
] as const satisfies readonly HookName[];
const PROBES = 128;
const EPSILON = 0.05;

export interface CopyProbe {
  readonly folder: string;
  readonly tokenizer: TextTokenizer;
  readonly context: EncodeContext;
  readonly seed: number;
  readonly pairs: number;
  /** Sites of each hook that are patched exactly after the estimate. */
  readonly verify: number;
}

/** Pairs of the induction task over the letters of the language; seeded. */
export function copyLines({ tokenizer, context, seed, pairs }: CopyProbe): PairLine[] {
  const source = openTask(
    {
      task: 'induction',
      count: pairs,
      seed,
      type: '',
      period: LANGUAGE.longest,
      corruption: 'predecessors',
      bothWays: false,
      symbols: LETTERS.slice(0, LANGUAGE.letters),
    },
    { tokenizer, offset: 0, nCtx: context.nCtx },
  );
  return Array.from({ length: pairs }, () => source.next() ?? []).flat();
}

/**
 * Where a trained copy model keeps its answer, found in three independent ways: attention patterns on fresh sequences
 * (previous-token and prefix-matching scores), exact patching of every head, and attribution patching of the same.
 */
export async function localiseCopy(compute: ComputeApi, probe: CopyProbe): Promise<CopyFindings> {
  const { folder, tokenizer, seed } = probe;
  const probes = copySequences(tokenizer, PROBES, seed + 1000);
  const { config } = await compute.load({ folder });
  const layers = Array.from({ length: config.nLayer }, (_, layer) => layer);
  const scores = headScores(await compute.attention({ folder, prompts: probes, layers }), probes);
  const { accuracy, asked } = await accuracyOn(compute, folder, probes);
  const { pairs } = preparePairs(copyLines(probe), probe.context);
  const request: PatchRequest = {
    folder,
    pairs,
    grids: gridsFor(HOOKS),
    direction: 'denoising',
    metrics: ['logit_diff'],
  };
  const exact = await blocksOf((onEvent) => compute.patch(request, { onEvent }));
  const estimated = await blocksOf((onEvent) =>
    compute.attribute({ ...request, method: 'atp' }, { onEvent }),
  );
  const effects = effectsOf(request, exact, estimated, config.nHead);
  return {
    accuracy,
    asked,
    scores,
    pairs: pairs.length,
    effects,
    agreement: HOOKS.map((hook) => {
      const own = effects.filter((effect) => effect.hook === hook);
      return {
        hook,
        agreement: rankAgreement(
          own.map((effect) => effect.estimated ?? 0),
          own.map((effect) => effect.exact ?? 0),
        ),
      };
    }),
    verified: await verifyTop(compute, { request, epsilon: EPSILON, k: probe.verify, estimated }),
  };
}

async function blocksOf(
  run: (onEvent: (block: PatchBlock) => void) => Promise<unknown>,
): Promise<PatchBlock[]> {
  const blocks: PatchBlock[] = [];
  await run((block) => blocks.push(block));
  return blocks;
}

/** Headline recoveries (ratio of means over pairs) of both methods, site by site. */
function effectsOf(
  { pairs, grids, metrics, direction }: PatchRequest,
  exact: readonly PatchBlock[],
  estimated: readonly PatchBlock[],
  heads: number,
): HeadEffect[] {
  const recovery = (blocks: readonly PatchBlock[]) =>
    assembleResult({ pairs, grids, metrics, direction, smallestGap: () => EPSILON, blocks }).summary;
  const [one, other] = [recovery(exact), recovery(estimated)];
  return HOOKS.flatMap((hook, grid) =>
    (one[grid]?.recovery ?? []).map((value, site) => ({
      hook,
      layer: Math.floor(site / heads),
      head: site % heads,
      exact: value,
      estimated: other[grid]?.recovery[site] ?? null,
    })),
  );
}

/** How often the likeliest token is the one that followed before, where it does follow. */
async function accuracyOn(
  compute: ComputeApi,
  folder: string,
  prompts: readonly (readonly number[])[],
): Promise<{ accuracy: number; asked: number }> {
  const { logits, vocabSize } = await compute.logits({ folder, prompts, positions: 'all' });
  const hits = prompts.flatMap((prompt, i) =>
    followers(prompt).flatMap(({ query, keys }) => {
      const next = prompt[query + 1];
      // Only where the sequence goes on; after a jump nothing foretells it.
      if (next === undefined || !keys.every((key) => prompt[key] === next)) return [];
      const row = logits[i]?.subarray(query * vocabSize, (query + 1) * vocabSize) ?? new Float32Array();
      return [row.indexOf(Math.max(...row)) === next];
    }),
  );
  return { accuracy: hits.filter(Boolean).length / Math.max(1, hits.length), asked: hits.length };
}
