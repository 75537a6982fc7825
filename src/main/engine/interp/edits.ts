import type { HookGrid, HookName, ModelConfig, SiteSpec } from '../../../shared/domain/index.ts';
import { UserInputError } from '../../../shared/errors/index.ts';
import { familyOf } from '../nn/registry.ts';
import { differsAt, type PatchCase, type PromptRun } from './cases.ts';
import { computedAs, isSquare, POINTS } from './points.ts';
import { layersOf, type Cell } from './sites.ts';
import type { PatchPair, PatchTask } from './types.ts';

/** One activation of one layer that a run takes from elsewhere. */
export interface Edit {
  readonly hook: HookName;
  /** 0 for hooks at the model's ends. */
  readonly layer: number;
  /** −1 = all heads. */
  readonly head: number;
  /** −1 = all neurons. */
  readonly neuron: number;
  /** Key position of an attention cell; −1 = the query's whole row. */
  readonly key: number;
  /** Target token ← source token, ascending by target. */
  readonly tokens: readonly { readonly to: number; readonly from: number }[];
}

export interface EditContext {
  readonly pair: PatchPair;
  readonly one: PatchCase;
  readonly direction: PatchTask['direction'];
  readonly config: ModelConfig;
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);

/** Tokens of a position or span name, in the prompt of one side. @throws UserInputError SITE_OUTSIDE, SPAN_UNKNOWN. */
export function tokensOf(at: number | string, side: 'target' | 'source', c: EditContext): number[] {
  const clean = (c.direction === 'noising') === (side === 'target');
  if (typeof at === 'number') {
    const length = side === 'target' ? c.one.tokens : sourceLength(c);
    const t = at < 0 ? length + at : at;
    if (t < 0 || t >= length) {
      throw new UserInputError(
        'SITE_OUTSIDE',
        `Pair ${c.pair.id}: position ${at} lies outside a prompt of ${length} tokens.`,
        'Positions count from 0; negative ones from the end.',
      );
    }
    return [t];
  }
  const span = c.pair.spans?.[at];
  if (span === undefined) {
    throw new UserInputError(
      'SPAN_UNKNOWN',
      `Pair ${c.pair.id} has no span “${at}”.`,
      'Draw it in both prompts, or leave it out.',
    );
  }
  const [start, end] = clean ? span.clean : span.corrupted;
  return range(start, end);
}

function sourceLength({ pair, one, direction }: EditContext): number {
  if (one.donor !== null) return one.tokens;
  return direction === 'denoising' ? pair.clean.length : pair.corrupted.length;
}

function paired(
  to: readonly number[],
  from: readonly number[],
  what: string,
  c: EditContext,
): Edit['tokens'] {
  if (to.length !== from.length) {
    throw new UserInputError(
      'SPAN_UNEQUAL',
      `Pair ${c.pair.id}: ${what} has ${to.length} tokens in the patched run and ${from.length} in the other.`,
      'Patch spans of equal length.',
    );
  }
  return to.map((t, i) => ({ to: t, from: from[i] ?? t }));
}

/** Every token of prompts of one length. */
function everyToken(c: EditContext): Edit['tokens'] {
  if (sourceLength(c) !== c.one.tokens) {
    throw new UserInputError(
      'PAIR_UNEQUAL_LENGTH',
      `Pair ${c.pair.id}: the prompts have ${c.one.tokens} and ${sourceLength(c)} tokens.`,
      'Rewrite one to equal length, or patch spans of equal length.',
    );
  }
  return range(0, c.one.tokens).map((t) => ({ to: t, from: t }));
}

function tokensAt(
  at: number | string | undefined,
  from: number | string | undefined,
  c: EditContext,
): Edit['tokens'] {
  if (at === undefined) return everyToken(c);
  return paired(tokensOf(at, 'target', c), tokensOf(from ?? at, 'source', c), `“${at}”`, c);
}

/** What a cell of a grid patches. */
export function editsOf(grid: HookGrid, cell: Cell, c: EditContext): Edit[] {
  if (grid.sites !== undefined) return grid.sites.map((site) => editOfSite(site, c));
  const tokens =
    cell.position >= 0
      ? positionTokens(cell.position, c)
      : tokensAt(
          cell.span >= 0 ? grid.spans?.[cell.span] : grid.at,
          cell.span >= 0 ? undefined : grid.from,
          c,
        );
  return layersOf(grid, cell.layer, c.config).map((layer) => ({
    hook: computedAs(grid.hook),
    layer,
    head: cell.head,
    neuron: cell.neuron,
    key: cell.source,
    tokens,
  }));
}

function positionTokens(position: number, c: EditContext): Edit['tokens'] {
  if (sourceLength(c) !== c.one.tokens) return everyToken(c);
  return [{ to: position, from: position }];
}

export function editOfSite(site: SiteSpec, c: EditContext): Edit {
  return {
    hook: computedAs(site.hook),
    layer: site.layer,
    head: site.head ?? -1,
    neuron: site.neuron ?? -1,
    key: -1,
    tokens: tokensAt(site.position, site.from, c),
  };
}

/** What is known of a site before anything runs. `target`/`source`: equal to that run's metric. */
export interface Judgement {
  readonly outcome: 'compute' | 'target' | 'source';
  readonly zero: boolean;
  readonly trivial: boolean;
  /** What remains to be patched. */
  readonly edits: readonly Edit[];
}

/**
 * Judges the edits of one run together.
 * - zero: every pasted value equals what stands there bit for bit: tokens before the first difference
 *   (causal attention makes source and target equal), and unchanged tokens where the activation is a
 *   function of token and position alone.
 * - trivial: the patch makes the rest of the run the source run (METHODS section 4, trap 2).
 * - no path: the patched rows cannot reach a read position; the effect is 0, but it is a measurement of
 *   the architecture, not of equal activations, so it is not marked.
 * `source` is the run patched from, null where the values come from no run of this model.
 */
export function judge(
  edits: readonly Edit[],
  one: PatchCase,
  source: PromptRun | null,
  first: number,
  config: ModelConfig,
): Judgement {
  const { parallel } = familyOf(config);
  const changed = edits
    .map((edit) => ({
      ...edit,
      tokens: edit.tokens.filter((token) => !equal(edit, token, one, source, first, parallel)),
    }))
    .filter((edit) => edit.tokens.length > 0 && !maskedCell(edit));
  if (edits.every(maskedCell)) return { outcome: 'target', zero: false, trivial: false, edits: [] };
  if (changed.length === 0) return { outcome: 'target', zero: true, trivial: false, edits: [] };
  const trivial = source !== null && edits.some((edit) => restores(edit, one, source, config));
  if (trivial) {
    const late = edits.every((edit) => edit.tokens.every(({ to }) => to > lastRead(one)));
    return { outcome: late ? 'target' : 'source', zero: false, trivial: true, edits: changed };
  }
  const reaching = changed
    .map((edit) => ({ ...edit, tokens: edit.tokens.filter(({ to }) => reaches(edit, to, one, config)) }))
    .filter((edit) => edit.tokens.length > 0);
  if (reaching.length === 0) return { outcome: 'target', zero: false, trivial: false, edits: [] };
  return { outcome: 'compute', zero: false, trivial: false, edits: reaching };
}

/** A key after its query: masked, no value exists. */
export function maskedCell(edit: Edit): boolean {
  return edit.key >= 0 && edit.tokens.every(({ to }) => edit.key > to);
}

const lastRead = (one: PatchCase): number => one.target.reads.at(-1) ?? 0;

function equal(
  edit: Edit,
  { to, from }: Edit['tokens'][number],
  one: PatchCase,
  source: PromptRun | null,
  first: number,
  parallel: boolean,
): boolean {
  if (source === null || to !== from) return false;
  if (to < first) return true;
  if (edit.hook === 'hook_pos_embed') return true;
  const { tokenwise } = POINTS[edit.hook];
  const byToken = tokenwise === 'parallel' ? parallel : tokenwise;
  return edit.layer === 0 && byToken && !differsAt(one.target, source, to);
}

/** Whether one edit alone makes every later step at every read position the source run's. */
function restores(edit: Edit, one: PatchCase, source: PromptRun, config: ModelConfig): boolean {
  const { wholeState, stage } = POINTS[edit.hook];
  if (edit.tokens.some(({ to, from }) => to !== from)) return false;
  const has = new Set(edit.tokens.map(({ to }) => to));
  const atInput =
    edit.hook === 'hook_embed' || (edit.hook === 'blocks.{layer}.hook_resid_pre' && edit.layer === 0);
  if (atInput) {
    return range(0, lastRead(one) + 1).every((t) => !differsAt(one.target, source, t) || has.has(t));
  }
  if (!wholeState) return false;
  if (range(0, lastRead(one) + 1).every((t) => has.has(t))) return true;
  const behindAttention = stage === 'final' || (stage === 'after' && edit.layer === config.nLayer - 1);
  return behindAttention && one.target.reads.every((t) => has.has(t));
}

/** Whether what stands at a token can reach a read position. */
function reaches(edit: Edit, to: number, one: PatchCase, config: ModelConfig): boolean {
  if (to > lastRead(one)) return false;
  const { stage } = POINTS[edit.hook];
  const last =
    stage === 'final' || (edit.layer === config.nLayer - 1 && (stage === 'after' || stage === 'query'));
  return !last || one.target.reads.includes(to);
}

/** The part of an attention edit that names no cell behind the query. */
export function cellTokens(edit: Edit): Edit['tokens'] {
  return isSquare(edit.hook) && edit.key >= 0 ? edit.tokens.filter(({ to }) => edit.key <= to) : edit.tokens;
}
