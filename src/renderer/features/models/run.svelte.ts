import type { EngramClient } from '../../../shared/contracts/index.ts';
import type { EpochPoint, StepPoint, TrainingRunId } from '../../../shared/domain/index.ts';
import { type EngramError, toEngramError } from '../../../shared/errors/index.ts';
import type { EventHub } from '../../client/client.ts';

/** The series of one training run: loaded once, then grown by events. */
export class RunSeries {
  #steps = $state.raw<readonly StepPoint[]>([]);
  #epochs = $state.raw<readonly EpochPoint[]>([]);
  #sample = $state.raw<string | null>(null);
  #bytesPerStep = $state.raw<number | null>(null);
  #error = $state.raw<EngramError | undefined>(undefined);
  #loaded = $state.raw(false);

  get steps(): readonly StepPoint[] {
    return this.#steps;
  }
  get epochs(): readonly EpochPoint[] {
    return this.#epochs;
  }
  get sample(): string | null {
    return this.#sample;
  }
  /** Bytes that a step moves in and out of runs, lately; null before the first. */
  get bytesPerStep(): number | null {
    return this.#bytesPerStep;
  }
  get error(): EngramError | undefined {
    return this.#error;
  }
  get loaded(): boolean {
    return this.#loaded;
  }

  /** Loads the run and listens to it; the returned function stops listening. */
  follow(id: TrainingRunId, client: EngramClient, events: EventHub): () => void {
    let stopped = false;
    const load = async () => {
      try {
        const { steps, epochs, sample, bytesPerStep } = await client.training.get({ id });
        if (stopped) return;
        this.#steps = steps;
        this.#epochs = epochs;
        this.#sample = sample;
        this.#bytesPerStep = bytesPerStep;
        this.#error = undefined;
        this.#loaded = true;
      } catch (error) {
        if (!stopped) this.#error = toEngramError(error);
      }
    };
    this.#loaded = false;
    void load();
    const stops = [
      events.on('trainingStep', ({ runId, steps, bytesPerStep }) => {
        if (runId !== id) return;
        this.#steps = appendSteps(this.#steps, steps);
        this.#bytesPerStep = bytesPerStep;
      }),
      events.on('trainingEpoch', ({ runId, point, sample }) => {
        if (runId !== id) return;
        this.#epochs = [...this.#epochs.filter((p) => p.epoch < point.epoch), point];
        if (sample !== null) this.#sample = sample;
      }),
    ];
    return () => {
      stopped = true;
      for (const stop of stops) stop();
    };
  }
}

/** Adds newer steps; after a resume, steps that are run again replace the ones from before. */
export function appendSteps(known: readonly StepPoint[], added: readonly StepPoint[]): readonly StepPoint[] {
  const first = added[0]?.step;
  if (first === undefined) return known;
  const last = known.at(-1)?.step ?? -1;
  return first > last ? [...known, ...added] : [...known.filter((p) => p.step < first), ...added];
}
