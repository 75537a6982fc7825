import type { EngramClient } from '../../../shared/contracts/index.ts';
import {
  gridId,
  type MetricName,
  type Sweep,
  type SweepGrid,
  type SweepHookGrid,
  type SweepId,
} from '../../../shared/domain/index.ts';
import type { ErrorStore } from '../../state/errors.svelte.ts';

/** Shortest time between two refreshes; the first effects are drawn at once. */
const REFRESH_MS = 600;
/** Every how many-th refresh loads the grids that are only shown small. */
const ALL_EVERY = 4;

function gridKey(grid: SweepHookGrid, metric: MetricName): string {
  return `${gridId(grid)} ${metric}`;
}

/** The grids of the sweep that is open, loaded again while it runs. */
export class SweepGrids {
  #grids = $state.raw<ReadonlyMap<string, SweepGrid>>(new Map());
  #loads = $state(0);
  #sweep: Sweep | null = null;
  #metric: MetricName = 'logit_diff';
  #selected: SweepHookGrid | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #refreshes = 0;
  #refreshed = Number.NEGATIVE_INFINITY;
  readonly #client: EngramClient;
  readonly #errors: ErrorStore;

  constructor(client: EngramClient, errors: ErrorStore) {
    this.#client = client;
    this.#errors = errors;
  }

  /** Undefined until it was loaded, or while nothing is stored yet. */
  get(grid: SweepHookGrid, metric: MetricName): SweepGrid | undefined {
    const found = this.#grids.get(gridKey(grid, metric));
    return found !== undefined && found.layers > 0 ? found : undefined;
  }

  /** Grids are on their way: their intervals take a while to compute. */
  get loading(): boolean {
    return this.#loads > 0;
  }

  /** Shows another sweep, or the same one after its state changed: all grids are loaded. */
  open(sweep: Sweep | null, metric: MetricName, selected: SweepHookGrid | null): void {
    const other = sweep?.id !== this.#sweep?.id;
    const changed = other || sweep?.status !== this.#sweep?.status || metric !== this.#metric;
    this.#sweep = sweep;
    this.#metric = metric;
    this.#selected = selected;
    if (other) {
      this.#grids = new Map();
      this.#refreshed = Number.NEGATIVE_INFINITY;
    }
    if (changed && sweep !== null) void this.#load(sweep, sweep.spec.grids);
  }

  /** Effects were stored: loads the shown grid, not more often than it is worth, and the small ones now and then. */
  progress(id: SweepId): void {
    if (this.#sweep?.id !== id || this.#timer !== undefined) return;
    const wait = Math.max(0, this.#refreshed + REFRESH_MS - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#refreshed = performance.now();
      const sweep = this.#sweep;
      if (sweep === null) return;
      const all = this.#refreshes++ % ALL_EVERY === 0;
      const shown = this.#selected;
      void this.#load(sweep, all || shown === null ? sweep.spec.grids : [shown]);
    }, wait);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#sweep = null;
  }

  async #load(sweep: Sweep, grids: readonly SweepHookGrid[]): Promise<void> {
    const metric = this.#metric;
    const shown = this.#selected;
    const first = (grid: SweepHookGrid) => (shown !== null && gridId(grid) === gridId(shown) ? 0 : 1);
    this.#loads += 1;
    try {
      for (const grid of [...grids].sort((a, b) => first(a) - first(b))) {
        const loaded = await this.#errors.run(() =>
          this.#client.sweeps.grid({ id: sweep.id, ...grid, metric }),
        );
        if (loaded === undefined || this.#sweep?.id !== sweep.id || this.#metric !== metric) return;
        this.#grids = new Map(this.#grids).set(gridKey(grid, metric), loaded);
      }
    } finally {
      this.#loads -= 1;
    }
  }
}
