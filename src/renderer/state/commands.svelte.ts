import { untrack } from 'svelte';

/** Something the user can do, from the palette, a key, or both. */
export interface Command {
  readonly id: string;
  readonly title: string;
  /** Heading in the palette and in the list of keys. */
  readonly group: string;
  /** e.g. `Mod+K`, `Shift+Mod+Z`, `J`, `/`; `Mod` is Ctrl, or Cmd on a Mac. */
  readonly keys?: string;
  /** Extra words to find it by. */
  readonly words?: string;
  readonly run: () => unknown;
  /** Absent = always. */
  readonly enabled?: () => boolean;
  /** Only a key, not listed in the palette (moving through a list). */
  readonly quiet?: boolean;
}

/** What can be done now: the frame's commands and those of the page that is shown. */
export class CommandRegistry {
  #sets = $state.raw<readonly (() => readonly Command[])[]>([]);
  #layers = $state.raw(0);

  get all(): readonly Command[] {
    return this.#sets.flatMap((set) => set());
  }

  /** The later a set was added, the earlier its keys are asked. */
  forKeys(keys: string): Command | undefined {
    return this.all.findLast((c) => c.keys === keys && (c.enabled?.() ?? true));
  }

  /** Whether the keys stand for something here, possible now or not. */
  owns(keys: string): boolean {
    return this.all.some((c) => c.keys === keys);
  }

  add(set: () => readonly Command[]): () => void {
    // Called from effects: what was there before is not what they depend on.
    untrack(() => (this.#sets = [...this.#sets, set]));
    return () => (this.#sets = this.#sets.filter((s) => s !== set));
  }

  /** Dialogs and menus that are open: while there is one, the page's keys rest. */
  get layers(): number {
    return this.#layers;
  }

  pushLayer(): () => void {
    untrack(() => (this.#layers += 1));
    return () => (this.#layers -= 1);
  }
}
