import {
  parseHeads,
  type AttentionLook,
  type HeadRef,
  type HookName,
  type SiteSpec,
  type SweepGrid,
} from '../../../shared/domain/index.ts';

/** What the form of joint patches says. */
export interface AttentionForm {
  readonly hook: HookName;
  /** `7.3, 7.9`. */
  readonly heads: string;
  /** Tokens patched; null = every token. */
  readonly at: number | string | null;
  readonly watch: string;
  readonly from: number | string;
  /** `IO, S1, 3`. */
  readonly to: string;
}

/** Sites patched together, watched heads and looks; null for a part that cannot be read. */
export function readForm(form: AttentionForm): {
  readonly sites: SiteSpec[] | null;
  readonly watch: HeadRef[] | null;
  readonly looks: AttentionLook[] | null;
} {
  const { hook, at } = form;
  const sites = parseHeads(form.heads)?.map((head): SiteSpec => ({
    hook,
    ...head,
    ...(at === null ? {} : { position: at }),
  }));
  const places = form.to
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => (/^-?\d+$/.test(part) ? Number(part) : part));
  return {
    sites: sites ?? null,
    watch: parseHeads(form.watch),
    looks: places.length === 0 ? null : places.map((to) => ({ from: form.from, to })),
  };
}

const HEADS_OFFERED = 4;

/** Detected heads of a grid of heads: the earlier half to be patched, the later to be watched. */
export function suggestedHeads(grid: SweepGrid | undefined): {
  readonly heads: string;
  readonly watch: string;
} {
  if (grid?.axes !== 'layer_head') return { heads: '', watch: '' };
  const found = grid.detected
    .flatMap((on, i) => (on ? [i] : []))
    .sort((a, b) => Math.abs(grid.recovery[b] ?? 0) - Math.abs(grid.recovery[a] ?? 0))
    .map((i) => ({
      layer: Math.floor(i / grid.columns),
      name: `${Math.floor(i / grid.columns)}.${i % grid.columns}`,
    }));
  const layers = found.map(({ layer }) => layer).sort((a, b) => a - b);
  const middle = layers[Math.floor(layers.length / 2)] ?? 0;
  const names = (later: boolean): string =>
    found
      .filter(({ layer }) => layer >= middle === later)
      .slice(0, HEADS_OFFERED)
      .map(({ name }) => name)
      .join(', ');
  return { heads: names(false), watch: names(true) };
}
