import { createContext } from 'svelte';
import type { EngramClient, FileHandle } from '../../shared/contracts/index.ts';
import { createClient, EventHub } from '../client/client.ts';
import type { Host } from '../client/connect.ts';
import { browserFiles, desktopFiles, type FileAccess } from '../client/files.ts';
import { type Command, CommandRegistry } from './commands.svelte.ts';
import { Connection } from './connection.svelte.ts';
import { ErrorStore } from './errors.svelte.ts';
import { JobStore } from './jobs.svelte.ts';
import { PaneStore } from './panes.svelte.ts';
import { Preferences } from './preferences.svelte.ts';
import { Router } from './router.svelte.ts';
import { Session } from './session.svelte.ts';

/** Asks the frame to show the folder browser; answers with the choice. */
class FolderPrompt {
  #answer = $state.raw<((choice: FileHandle | null) => void) | null>(null);

  get open(): boolean {
    return this.#answer !== null;
  }

  ask(): Promise<FileHandle | null> {
    return new Promise((resolve) => (this.#answer = resolve));
  }

  settle(choice: FileHandle | null): void {
    this.#answer?.(choice);
    this.#answer = null;
  }
}

/** Everything the pages share, made once per window and handed down by context. */
export class Workbench {
  readonly client: EngramClient;
  readonly events: EventHub;
  readonly connection: Connection;
  readonly errors = new ErrorStore();
  readonly session: Session;
  readonly jobs: JobStore;
  readonly preferences: Preferences;
  readonly panes: PaneStore;
  readonly commands = new CommandRegistry();
  readonly router: Router;
  readonly files: FileAccess;
  readonly folderPrompt = new FolderPrompt();

  constructor(host: Host, page: Window) {
    this.client = createClient(host.transport);
    this.events = new EventHub(host.transport);
    this.connection = new Connection(host.transport);
    this.session = new Session(this.client, this.events, this.errors);
    this.jobs = new JobStore(this.client, this.events, this.errors);
    this.preferences = new Preferences(this.client, this.events, this.errors, page);
    this.panes = new PaneStore(page.localStorage);
    this.router = new Router(page);
    this.files =
      host.bridge === null ? browserFiles(() => this.folderPrompt.ask()) : desktopFiles(host.bridge);
  }

  /** First answers of a window, and again whenever the connection comes back. */
  async refresh(): Promise<void> {
    await Promise.all([this.session.refresh(), this.session.refreshInfo(), this.preferences.refresh()]);
    if (this.session.study !== null) await this.jobs.refresh();
  }
}

export const [useWorkbench, provideWorkbench] = createContext<Workbench>();

/** Commands that exist while the calling component does. */
export function useCommands(commands: () => readonly Command[]): void {
  const { commands: registry } = useWorkbench();
  $effect(() => registry.add(commands));
}
