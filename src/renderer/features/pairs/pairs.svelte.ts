import type { EngramClient } from '../../../shared/contracts/index.ts';
import type { Pair, PairCheck, PairId, PairLine, PairSetId, ModelId } from '../../../shared/domain/index.ts';
import { type EngramError, toEngramError } from '../../../shared/errors/index.ts';
import type { ErrorStore } from '../../state/errors.svelte.ts';

const CHECK_AFTER_MS = 160;
const SAVE_AFTER_MS = 700;

/** A pair as it is edited. Its writes end with it, whichever pair is opened meanwhile. */
class Subject {
  /** Null while a new pair is being made. */
  pair = $state.raw<Pair | null>(null);
  line = $state.raw<PairLine | null>(null);
  unsaved = false;
  /** Makes the new pair. */
  readonly make: ((line: PairLine) => Promise<Pair>) | null;
  #writing: Promise<void> | null = null;

  constructor(pair: Pair | null, line: PairLine | null, make: Subject['make'] = null) {
    this.pair = pair;
    this.line = line;
    this.make = make;
  }

  /** Writes what is unsaved, one write after the other; what is typed meanwhile is written next. */
  async write(client: EngramClient, errors: ErrorStore): Promise<void> {
    while (this.unsaved) {
      this.#writing ??= this.#once(client, errors).finally(() => (this.#writing = null));
      await this.#writing;
    }
  }

  async #once(client: EngramClient, errors: ErrorStore): Promise<void> {
    const [line, pair, make] = [this.line, this.pair, this.make];
    this.unsaved = false;
    if (line === null) return;
    const saved = await errors.run(async () =>
      pair === null ? make?.(line) : client.pairs.save({ setId: pair.setId, id: pair.id, line }),
    );
    if (saved !== undefined) this.pair = saved;
  }
}

/**
 * The pair that is open: its line as edited, what the model says of it (asked again a moment after each
 * change, old answers staying meanwhile) and its saving (a moment after the last change).
 */
export class PairEditor {
  #subject = $state.raw(new Subject(null, null));
  /** Counts the pairs opened: a new pair keeps its number when it gets its id. */
  #place = $state(0);
  #check = $state.raw<PairCheck | null>(null);
  #checkError = $state.raw<EngramError | null>(null);
  #checking = $state.raw(false);
  #saving = $state.raw(false);
  #model: ModelId | null = null;
  #turn = 0;
  #checkTimer: ReturnType<typeof setTimeout> | undefined;
  #saveTimer: ReturnType<typeof setTimeout> | undefined;
  readonly #client: EngramClient;
  readonly #errors: ErrorStore;

  constructor(client: EngramClient, errors: ErrorStore) {
    this.#client = client;
    this.#errors = errors;
  }

  /** As last stored; null for a new pair that is still being made. */
  get pair(): Pair | null {
    return this.#subject.pair;
  }
  get line(): PairLine | null {
    return this.#subject.line;
  }
  get place(): number {
    return this.#place;
  }
  get check(): PairCheck | null {
    return this.#check;
  }
  get checkError(): EngramError | null {
    return this.#checkError;
  }
  /** The shown check is not of the present line yet. */
  get checking(): boolean {
    return this.#checking;
  }
  get saving(): boolean {
    return this.#saving;
  }

  /** Opens a pair; unsaved changes of the one before are written first. */
  open(pair: Pair | null): void {
    const { pair: before, unsaved } = this.#subject;
    if (pair !== null && pair.id === before?.id) {
      // A stored copy of what is being typed must not overwrite it.
      if (pair.editedAt === before.editedAt || unsaved) return;
      const same = JSON.stringify(pair.line) === JSON.stringify(this.line);
      this.#subject.pair = pair;
      if (same) return;
      this.#subject.line = pair.line;
      this.#askSoon(0);
    } else if (pair !== null || this.line !== null) {
      this.#enter(new Subject(pair, pair?.line ?? null));
    }
  }

  /**
   * Opens a new pair at once, before `make` has stored it: what is typed from now on belongs to it, and is
   * saved as soon as it exists. Where `make` fails (reported) the pair stays open, and the next change tries
   * again.
   */
  begin(line: PairLine, make: (line: PairLine) => Promise<Pair>): void {
    const subject = new Subject(null, line, make);
    subject.unsaved = true;
    this.#enter(subject);
    void this.flush();
  }

  useModel(model: ModelId | null): void {
    if (model === this.#model) return;
    this.#model = model;
    this.#check = null;
    this.#askSoon(0);
  }

  edit(change: Partial<PairLine>): void {
    if (this.line === null) return;
    this.replace({ ...this.line, ...change });
  }

  replace(line: PairLine): void {
    this.#subject.line = line;
    this.#subject.unsaved = true;
    this.#askSoon(CHECK_AFTER_MS);
    clearTimeout(this.#saveTimer);
    this.#saveTimer = setTimeout(() => void this.flush(), SAVE_AFTER_MS);
  }

  /** Asks the model again, now. */
  recheck(): void {
    this.#askSoon(0);
  }

  /** Writes unsaved changes now. */
  async flush(): Promise<void> {
    clearTimeout(this.#saveTimer);
    const subject = this.#subject;
    if (!subject.unsaved) return;
    this.#saving = true;
    await subject.write(this.#client, this.#errors);
    if (subject === this.#subject) this.#saving = false;
  }

  #enter(subject: Subject): void {
    void this.flush();
    this.#subject = subject;
    this.#place += 1;
    this.#saving = false;
    this.#check = null;
    this.#askSoon(0);
  }

  #askSoon(delay: number): void {
    clearTimeout(this.#checkTimer);
    const turn = ++this.#turn;
    const [line, modelId] = [this.line, this.#model];
    if (line === null || modelId === null) {
      this.#check = null;
      this.#checking = false;
      return;
    }
    this.#checking = true;
    this.#checkTimer = setTimeout(() => void this.#ask(turn, modelId, line), delay);
  }

  async #ask(turn: number, modelId: ModelId, line: PairLine): Promise<void> {
    try {
      const check = await this.#client.pairs.check({ modelId, line });
      if (turn !== this.#turn) return;
      this.#check = check;
      this.#checkError = null;
    } catch (error) {
      if (turn === this.#turn) this.#checkError = toEngramError(error);
    }
    if (turn === this.#turn) this.#checking = false;
  }
}

/** One pair of a set under one model, as the list shows it. */
interface CheckedPair {
  readonly id: PairId;
  readonly gap: number | null;
  readonly valid: boolean;
  readonly flags: PairCheck['flags'];
}

export type SetCheck = ReadonlyMap<PairId, CheckedPair>;

export async function checkSet(client: EngramClient, setId: PairSetId, modelId: ModelId): Promise<SetCheck> {
  const rows = await client.pairs.checkSet({ setId, modelId });
  return new Map(rows.map((row) => [row.id, row]));
}
