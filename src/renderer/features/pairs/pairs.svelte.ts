import type { EngramClient } from '../../../shared/contracts/index.ts';
import type { Pair, PairCheck, PairId, PairLine, PairSetId, ModelId } from '../../../shared/domain/index.ts';
import { type EngramError, toEngramError } from '../../../shared/errors/index.ts';
import type { ErrorStore } from '../../state/errors.svelte.ts';

const CHECK_AFTER_MS = 160;
const SAVE_AFTER_MS = 700;

/**
 * The pair that is open: its line as edited, what the model says of it (asked again a moment after each
 * change, old answers staying meanwhile) and its saving (a moment after the last change).
 */
export class PairEditor {
  #pair = $state.raw<Pair | null>(null);
  #line = $state.raw<PairLine | null>(null);
  #check = $state.raw<PairCheck | null>(null);
  #checkError = $state.raw<EngramError | null>(null);
  #checking = $state.raw(false);
  #saving = $state.raw(false);
  #model: ModelId | null = null;
  #turn = 0;
  #checkTimer: ReturnType<typeof setTimeout> | undefined;
  #saveTimer: ReturnType<typeof setTimeout> | undefined;
  #unsaved = false;
  readonly #client: EngramClient;
  readonly #errors: ErrorStore;

  constructor(client: EngramClient, errors: ErrorStore) {
    this.#client = client;
    this.#errors = errors;
  }

  get pair(): Pair | null {
    return this.#pair;
  }
  get line(): PairLine | null {
    return this.#line;
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
    if (pair?.id === this.#pair?.id && pair?.editedAt === this.#pair?.editedAt) return;
    // A stored copy of what is being typed must not overwrite it.
    if (pair !== null && pair.id === this.#pair?.id && this.#unsaved) return;
    void this.flush();
    const other = pair?.id !== this.#pair?.id;
    const same = !other && JSON.stringify(pair?.line) === JSON.stringify(this.#line);
    this.#pair = pair;
    if (same) return;
    this.#line = pair?.line ?? null;
    if (other) this.#check = null;
    this.#askSoon(0);
  }

  useModel(model: ModelId | null): void {
    if (model === this.#model) return;
    this.#model = model;
    this.#check = null;
    this.#askSoon(0);
  }

  edit(change: Partial<PairLine>): void {
    if (this.#line === null) return;
    this.replace({ ...this.#line, ...change });
  }

  replace(line: PairLine): void {
    this.#line = line;
    this.#unsaved = true;
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
    const pair = this.#pair;
    const line = this.#line;
    if (!this.#unsaved || pair === null || line === null) return;
    this.#unsaved = false;
    this.#saving = true;
    const saved = await this.#errors.run(() =>
      this.#client.pairs.save({ setId: pair.setId, id: pair.id, line }),
    );
    this.#saving = false;
    if (saved !== undefined && this.#pair?.id === saved.id) this.#pair = saved;
  }

  #askSoon(delay: number): void {
    clearTimeout(this.#checkTimer);
    const turn = ++this.#turn;
    const [line, modelId] = [this.#line, this.#model];
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
