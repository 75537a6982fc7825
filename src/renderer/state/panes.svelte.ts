import { z } from 'zod';

const KEY = 'engram.panes';
const Saved = z.record(z.string(), z.object({ width: z.number(), collapsed: z.boolean() }));
type PaneState = z.infer<typeof Saved>[string];

/** Widths and folding of the panes, remembered on this machine. */
export class PaneStore {
  #panes = $state.raw<Readonly<Record<string, PaneState>>>({});
  readonly #storage: Storage;

  constructor(storage: Storage) {
    this.#storage = storage;
    this.#panes = read(storage);
  }

  /** What the user left, or the designed width, folded or not. */
  get(id: string, width: number, collapsed = false): PaneState {
    return this.#panes[id] ?? { width, collapsed };
  }

  set(id: string, state: PaneState): void {
    this.#panes = { ...this.#panes, [id]: state };
    this.#storage.setItem(KEY, JSON.stringify(this.#panes));
  }
}

function read(storage: Storage): Record<string, PaneState> {
  try {
    return Saved.parse(JSON.parse(storage.getItem(KEY) ?? '{}'));
  } catch {
    // Written by another version: start from the designed widths.
    return {};
  }
}
