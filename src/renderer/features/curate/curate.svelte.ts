import type { EngramClient, RecordFilter } from '../../../shared/contracts/index.ts';
import type { Decision, RecordId, RecordRow } from '../../../shared/domain/index.ts';
import type { ErrorStore } from '../../state/errors.svelte.ts';

export const PAGE_SIZE = 100;
/** Pages that only fly by are not asked for. */
const REST_MS = 40;
export const NO_FILTER: RecordFilter = {
  query: '',
  decisions: [],
  yearFrom: null,
  yearTo: null,
  terms: [],
  publicationTypes: [],
  journals: [],
  languages: [],
  mesh: [],
  keywords: [],
  sources: [],
  flags: [],
  hideCopies: true,
};

/** How many facets narrow the list (the search field apart). */
export function narrowing(filter: RecordFilter): number {
  const years = filter.yearFrom !== null || filter.yearTo !== null ? 1 : 0;
  const lists = [
    filter.decisions,
    filter.terms,
    filter.publicationTypes,
    filter.journals,
    filter.languages,
    filter.mesh,
    filter.keywords,
    filter.sources,
    filter.flags,
  ];
  return lists.reduce((n, list) => n + list.length, years);
}

/**
 * The list being screened: its filter, the rows loaded so far (by pages, as they come into view), the
 * record that is open and the ones that are checked. Old rows stay until newer ones arrive.
 */
export class CurateList {
  filter = $state.raw<RecordFilter>(NO_FILTER);
  #pages = $state.raw<ReadonlyMap<number, readonly RecordRow[]>>(new Map());
  #total = $state.raw(0);
  #all = $state.raw(0);
  #terms = $state.raw<readonly string[]>([]);
  #loaded = $state.raw(false);
  #index = $state.raw(0);
  #open = $state.raw<RecordId | null>(null);
  #checked = $state.raw<ReadonlySet<RecordId>>(new Set());
  #deciding = $state.raw(false);
  /** Every record of the list is checked, those not loaded too. */
  #everything = $state.raw(false);
  #turn = 0;
  #rest: ReturnType<typeof setTimeout> | undefined;
  #pending = new Set<number>();
  readonly #client: EngramClient;
  readonly #errors: ErrorStore;

  constructor(client: EngramClient, errors: ErrorStore) {
    this.#client = client;
    this.#errors = errors;
  }

  get total(): number {
    return this.#total;
  }
  /** Records that are not copies, before any filter. */
  get all(): number {
    return this.#all;
  }
  get terms(): readonly string[] {
    return this.#terms;
  }
  get loaded(): boolean {
    return this.#loaded;
  }
  get index(): number {
    return this.#index;
  }
  get open(): RecordId | null {
    return this.#open;
  }
  get checked(): ReadonlySet<RecordId> {
    return this.#checked;
  }

  /** How many records the next decision is about. */
  get checkedCount(): number {
    return this.#everything ? this.#total : this.#checked.size;
  }
  get everything(): boolean {
    return this.#everything;
  }

  row(index: number): RecordRow | undefined {
    return this.#pages.get(Math.floor(index / PAGE_SIZE))?.[index % PAGE_SIZE];
  }

  /** Every row that is loaded, in order. */
  get rows(): readonly RecordRow[] {
    return [...this.#pages.keys()].sort((a, b) => a - b).flatMap((page) => this.#pages.get(page) ?? []);
  }

  narrow(change: Partial<RecordFilter>): void {
    this.filter = { ...this.filter, ...change };
    this.#index = 0;
    this.#open = null;
    this.#uncheck();
  }

  /** Loads the list anew, from the page that is in view; keeps the open record open. */
  async reload(): Promise<void> {
    const turn = ++this.#turn;
    this.#pending.clear();
    const page = Math.floor(this.#index / PAGE_SIZE);
    const answer = await this.#ask(page);
    if (answer === undefined || turn !== this.#turn) return;
    this.#pages = new Map([[page, answer.rows]]);
    this.#total = answer.total;
    this.#all = answer.all;
    this.#terms = answer.terms;
    this.#loaded = true;
    this.#keepPlace(page, answer.rows);
  }

  /** Loads the pages between two rows that are not there yet, once scrolling rests a moment. */
  ensure(first: number, last: number): void {
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => this.#fill(first, last), REST_MS);
  }

  #fill(first: number, last: number): void {
    if (!this.#loaded) return;
    const end = Math.min(last, this.#total - 1);
    for (let page = Math.floor(first / PAGE_SIZE); page * PAGE_SIZE <= end; page++) {
      if (!this.#pages.has(page) && !this.#pending.has(page)) void this.#load(page);
    }
  }

  go(index: number): void {
    const row = this.row(index);
    if (row === undefined) return;
    this.#index = index;
    this.#open = row.id;
  }

  toggle(id: RecordId): void {
    const checked = new Set(this.#checked);
    if (!checked.delete(id)) checked.add(id);
    this.#checked = checked;
    this.#everything = false;
  }

  /** Checks every loaded row, or none. */
  checkAll(on: boolean): void {
    this.#everything = false;
    this.#checked = new Set(on ? this.rows.map((row) => row.id) : []);
  }

  /** Checks every record that the filter lets pass. */
  checkEverything(): void {
    this.checkAll(true);
    this.#everything = true;
  }

  #uncheck(): void {
    this.#everything = false;
    this.#checked = new Set();
  }

  /** A decision on a whole list is being made. */
  get deciding(): boolean {
    return this.#deciding;
  }

  /** Decides on the checked records, or on the open one and moves to the next. */
  async decide(decision: Decision, reason: string | null): Promise<void> {
    if (this.#deciding) return;
    if (this.#everything) {
      const { filter } = this;
      this.#deciding = true;
      const all = await this.#errors.run(() => this.#client.curate.decideAll({ filter, decision, reason }));
      this.#deciding = false;
      if (all !== undefined) this.#uncheck();
      return;
    }
    const ids = this.#checked.size > 0 ? [...this.#checked] : this.#open === null ? [] : [this.#open];
    if (ids.length === 0) return;
    const one = this.#checked.size === 0;
    const done = await this.#errors.run(() => this.#client.curate.decide({ ids, decision, reason }));
    if (done === undefined) return;
    this.#uncheck();
    if (one) this.go(this.#index + 1);
  }

  async #load(page: number): Promise<void> {
    const turn = this.#turn;
    this.#pending.add(page);
    const answer = await this.#ask(page);
    if (turn !== this.#turn) return;
    this.#pending.delete(page);
    if (answer !== undefined) this.#pages = new Map(this.#pages).set(page, answer.rows);
  }

  #ask(page: number) {
    return this.#errors.run(() =>
      this.#client.curate.records({ filter: this.filter, offset: page * PAGE_SIZE, limit: PAGE_SIZE }),
    );
  }

  /** After a reload: the open record where it is now, or whatever took its place. */
  #keepPlace(page: number, rows: readonly RecordRow[]): void {
    const at = rows.findIndex((row) => row.id === this.#open);
    const index = at >= 0 ? page * PAGE_SIZE + at : Math.min(this.#index, Math.max(0, this.#total - 1));
    this.#index = index;
    this.#open = this.row(index)?.id ?? null;
  }
}
