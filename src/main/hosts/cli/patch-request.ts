import { basename } from 'node:path';
import { z } from 'zod';
import { Corruption, PatchSourceKind, type HookGrid, type PairLine } from '../../../shared/domain/index.ts';
import { UserInputError } from '../../../shared/errors/index.ts';
import { preparePair, type EncodeContext, type PreparedPair } from '../../../shared/pairs/index.ts';
import type { PatchRequest, PatchSource } from '../../runtime/api.ts';
import { parsePairsStrictly } from '../../services/pairs/parse.ts';
import { byPlace, gridsFor, parseHooks, parseJoint } from '../../services/sweeps/positions.ts';
import { oneOf, parseDirection, parseMetrics, positiveNumber, readTextFile, wholeNumber } from './parse.ts';

/** Flags that say what is patched, from where, and what is measured. */
export interface PatchTaskFlags {
  readonly pairs: string;
  readonly hooks?: string;
  readonly joint?: readonly string[];
  readonly positions?: string;
  readonly from?: string;
  readonly window?: string;
  readonly neurons?: string;
  readonly sources?: boolean;
  readonly direction: string;
  readonly metric: string;
  readonly corruption: string;
  readonly draws: string;
  readonly noise: string;
  readonly seed: string;
  readonly source: string;
  readonly reference?: string;
  readonly strategy: string;
  readonly memory?: string;
}

/** The request of `engram patch`. @throws UserInputError for flags, hooks or pairs that cannot be used. */
export function patchRequest(flags: PatchTaskFlags, folder: string, context: EncodeContext): PatchRequest {
  const lines = parsePairsStrictly(readTextFile(flags.pairs), basename(flags.pairs));
  const grids = requestedGrids(flags);
  const noisy = oneOf('--corruption', Corruption, flags.corruption) === 'gn';
  const unequal = noisy || grids.every(byPlace);
  const pairs = lines.map((line) => preparePair(line, context, { unequal }));
  const source = sourceOf(flags, lines, pairs, context);
  return {
    folder,
    pairs,
    grids,
    direction: parseDirection(flags.direction),
    metrics: parseMetrics(flags.metric),
    strategy: oneOf('--strategy', z.enum(['packed', 'naive']), flags.strategy),
    ...(source === null ? {} : { source }),
    ...(noisy
      ? {
          noise: {
            draws: wholeNumber('--draws', flags.draws, 1),
            scale: positiveNumber('--noise', flags.noise),
            seed: wholeNumber('--seed', flags.seed, 0),
          },
        }
      : {}),
    ...(flags.memory === undefined
      ? {}
      : { memoryBytes: positiveNumber('--memory', flags.memory) * 2 ** 20 }),
  };
}

function requestedGrids(flags: PatchTaskFlags): HookGrid[] {
  const { hooks, joint = [], positions, from, sources } = flags;
  const grids = [
    ...(hooks === undefined
      ? []
      : gridsFor(parseHooks(hooks), {
          positions,
          from,
          sources,
          window: flags.window === undefined ? undefined : wholeNumber('--window', flags.window, 1),
          neurons: flags.neurons === undefined ? undefined : neuronList(flags.neurons),
        })),
    ...joint.map(parseJoint),
  ];
  if (grids.length > 0) return grids;
  throw new UserInputError('HOOKS_MISSING', 'Nothing is named to patch.', 'Give --hooks or --joint.');
}

function neuronList(text: string): number[] | 'all' {
  return text === 'all' ? 'all' : text.split(',').map((part) => wholeNumber('--neurons', part.trim(), 0));
}

/** `pair`, `prompt`, `zero`, `mean`, `mean_position`, `resample`, or `model:DIR`. */
function sourceOf(
  flags: PatchTaskFlags,
  lines: readonly PairLine[],
  pairs: readonly PreparedPair[],
  context: EncodeContext,
): PatchSource | null {
  if (flags.source.startsWith('model:'))
    return { kind: 'model', folder: flags.source.slice('model:'.length) };
  const kind = oneOf('--source', PatchSourceKind.exclude(['model']), flags.source);
  const reference = (): number[][] =>
    (flags.reference === undefined
      ? pairs
      : parsePairsStrictly(readTextFile(flags.reference), basename(flags.reference)).map((line) =>
          preparePair(line, context, { unequal: true }),
        )
    ).map((pair) => [...pair.clean]);
  const sources: Readonly<Record<typeof kind, () => PatchSource | null>> = {
    pair: () => null,
    prompt: () => ({ kind: 'prompt' }),
    zero: () => ({ kind: 'zero' }),
    mean: () => ({ kind: 'mean', reference: reference(), perPosition: false }),
    mean_position: () => ({ kind: 'mean', reference: reference(), perPosition: true }),
    resample: () => ({
      kind: 'resample',
      reference: reference(),
      seed: wholeNumber('--seed', flags.seed, 0),
    }),
  };
  const without = lines.find((line) => line.source === undefined);
  if (kind === 'prompt' && without !== undefined) {
    throw new UserInputError(
      'DONOR_MISSING',
      `Pair “${without.id}” names no "source" prompt.`,
      'Give every pair a "source", or patch from the pair’s other prompt.',
    );
  }
  return sources[kind]();
}
