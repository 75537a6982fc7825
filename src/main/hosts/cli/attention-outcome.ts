import {
  parseHeads,
  type AttentionLook,
  type HeadRef,
  type PatchAttention,
} from '../../../shared/domain/index.ts';
import { UserInputError } from '../../../shared/errors/index.ts';
import type { AttentionOutcome, ComputeApi, PatchRequest } from '../../runtime/api.ts';
import { placeReference } from '../../services/sweeps/positions.ts';

/** Flags that ask for attention as the outcome of joint patches. */
export interface WatchFlags {
  readonly watch?: string;
  readonly looks?: string;
}

export interface Watched {
  readonly watch: readonly HeadRef[];
  readonly looks: readonly AttentionLook[];
}

/**
 * `--watch 9.6,9.9 --looks "END>IO,last>3"`; null without them.
 * @throws UserInputError WATCH_UNREADABLE, LOOKS_UNREADABLE, WATCH_WITHOUT_JOINT.
 */
export function watchedHeads({ watch, looks }: WatchFlags, { grids }: PatchRequest): Watched | null {
  if (watch === undefined && looks === undefined) return null;
  if (!grids.some(({ sites }) => sites !== undefined)) {
    throw new UserInputError(
      'WATCH_WITHOUT_JOINT',
      'Attention is read behind a joint patch, and none is given.',
      'Name the sites with --joint, e.g. --joint z:7.3+z:7.9+z:8.6+z:8.10.',
    );
  }
  return { watch: heads(watch ?? ''), looks: lookList(looks ?? '') };
}

function heads(text: string): HeadRef[] {
  const found = parseHeads(text);
  if (found !== null) return found;
  throw new UserInputError(
    'WATCH_UNREADABLE',
    `“${text.trim()}” names no heads.`,
    'Write --watch LAYER.HEAD,…, e.g. 9.6,9.9,10.0.',
  );
}

function lookList(text: string): AttentionLook[] {
  return text.split(',').map((part) => {
    const [from, to, more] = part.split('>').map((place) => place.trim());
    if (from !== undefined && to !== undefined && more === undefined && from !== '' && to !== '')
      return { from: placeReference(from), to: placeReference(to) };
    throw new UserInputError(
      'LOOKS_UNREADABLE',
      `“${part.trim()}” does not say from where to where.`,
      'Write --looks FROM>TO,…; a place is an index, last, or a span’s name, e.g. END>IO.',
    );
  });
}

/** Attention behind every joint patch of a request. */
export async function attentionOutcomes(
  compute: ComputeApi,
  { grids, ...request }: PatchRequest,
  { watch, looks }: Watched,
): Promise<PatchAttention[]> {
  const entries: PatchAttention[] = [];
  for (const { sites } of grids) {
    if (sites === undefined) continue;
    const outcomes: AttentionOutcome[] = [];
    await compute.attentionOutcome(
      { ...request, sites, watch, looks },
      { onEvent: (outcome) => outcomes.push(outcome) },
    );
    const flat = (of: (o: AttentionOutcome) => Float64Array): number[] => outcomes.flatMap((o) => [...of(o)]);
    const draws = request.noise?.draws;
    entries.push({
      sites,
      watch: watch.map(({ layer, head }) => `${layer}.${head}`),
      looks: [...looks],
      axes: draws === undefined ? ['pair', 'head', 'look'] : ['pair', 'draw', 'head', 'look'],
      shape: [request.pairs.length, ...(draws === undefined ? [] : [draws]), watch.length, looks.length],
      clean: flat((o) => o.clean),
      corrupted: flat((o) => o.corrupted),
      patched: flat((o) => o.patched),
    });
  }
  return entries;
}

/** Means over pairs, for people. */
export function attentionLines(entries: readonly PatchAttention[]): string[] {
  return entries.flatMap(({ watch, looks, clean, corrupted, patched }) => {
    const size = watch.length * looks.length;
    const mean = (values: readonly number[], at: number): string => {
      const own = values.filter((_, i) => i % size === at);
      return (own.reduce((sum, v) => sum + v, 0) / own.length).toFixed(3);
    };
    return watch.flatMap((head, w) =>
      looks.map(({ from, to }, l) => {
        const at = w * looks.length + l;
        const place = (p: number | string): string => (p === -1 ? 'last' : String(p));
        return `${head} looks from ${place(from)} at ${place(to)}: clean ${mean(clean, at)}, corrupted ${mean(corrupted, at)}, patched ${mean(patched, at)}`;
      }),
    );
  });
}
