import { Settings } from '../../shared/domain/index.ts';
import type { EngramClient } from '../../shared/contracts/index.ts';
import type { EventHub } from '../client/client.ts';
import type { ErrorStore } from './errors.svelte.ts';

export type Theme = 'light' | 'dark';
const THEME_KEY = 'engram.theme';

/** The settings, and the theme that follows from them and the system. */
export class Preferences {
  #settings = $state.raw<Settings>(Settings.parse({}));
  #systemDark = $state.raw(false);
  readonly #client: EngramClient;
  readonly #errors: ErrorStore;

  constructor(client: EngramClient, events: EventHub, errors: ErrorStore, page: Window) {
    this.#client = client;
    this.#errors = errors;
    const stored = Settings.shape.theme.safeParse(page.localStorage.getItem(THEME_KEY) ?? 'system');
    if (stored.success) this.#settings = { ...this.#settings, theme: stored.data };
    const query = page.matchMedia('(prefers-color-scheme: dark)');
    this.#systemDark = query.matches;
    query.addEventListener('change', (change) => (this.#systemDark = change.matches));
    events.on('changed', ({ what }) => {
      if (what === 'settings') void this.refresh();
    });
    this.#apply(page);
  }

  get settings(): Settings {
    return this.#settings;
  }

  get theme(): Theme {
    const { theme } = this.#settings;
    return theme === 'system' ? (this.#systemDark ? 'dark' : 'light') : theme;
  }

  async refresh(): Promise<void> {
    const settings = await this.#errors.run(() => this.#client.app.getSettings({}));
    if (settings !== undefined) this.#settings = settings;
  }

  async set(change: Partial<Settings>): Promise<void> {
    const before = this.#settings;
    this.#settings = { ...before, ...change };
    const saved = await this.#errors.run(() => this.#client.app.setSettings(this.#settings));
    this.#settings = saved ?? before;
  }

  /** Puts the theme on the root element and remembers it, so that the next start shows it at once. */
  #apply(page: Window): void {
    $effect.root(() => {
      $effect.pre(() => {
        page.document.documentElement.dataset['theme'] = this.theme;
        page.localStorage.setItem(THEME_KEY, this.#settings.theme);
      });
    });
  }
}
