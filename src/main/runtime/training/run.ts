import type { StepPoint } from '../../../shared/domain/index.ts';
import { CancelledError, EngineError, UserInputError } from '../../../shared/errors/index.ts';
import { openModelFolder, readTensor, type ModelFolder } from '../../models/index.ts';
import type { TrainDone, TrainEvent, TrainRequest } from '../api.ts';
import { peakRssBytes } from '../memory.ts';
import { checkIds } from '../prompts.ts';
import type { SessionFactory } from '../sessions.ts';
import { lossRules, planEpochs, type EpochPlan, type LossRules } from './batches.ts';
import { Checkpoints, stateAtStart, type TrainingState } from './checkpoints.ts';
import { checkBlock } from './evaluate.ts';
import { DEVICE_TRAINING, type DeviceTraining } from './device.ts';
import { requirePlan } from './gradients.ts';
import { runIdentity } from './identity.ts';
import { ParameterStore } from './parameters.ts';
import { openStepper } from './steppers.ts';
import { howComputed, type StepResult, type Stepper } from './stepper.ts';
import { Validator } from './validation.ts';

export interface TrainingHost {
  readonly sessions: SessionFactory;
  readonly memoryLimitBytes: number;
  readonly emit: (event: TrainEvent) => void;
  /** Throws a CancelledError once the caller has cancelled. */
  readonly checkpoint: () => void;
  /** How a run begins; default: as suits the provider in use. */
  readonly device?: DeviceTraining;
}

/** Step points are sent together, at most this often. */
const REPORT_MS = 200;
/** Within an epoch a checkpoint is written this often, unless writing takes more than a tenth of the time. */
const SAVE_MS = 20_000;
const SAVE_SHARE = 0.1;
/** Steps whose sequences are laid out beforehand, at most. */
const LOOK_AHEAD = 512;

/** One fine-tuning run from its request to its best checkpoint. */
class Training {
  readonly #request: TrainRequest;
  readonly #host: TrainingHost;
  readonly #model: ModelFolder;
  readonly #store: ParameterStore;
  readonly #checkpoints: Checkpoints;
  readonly #plan: EpochPlan;
  readonly #totalSteps: number;
  readonly #rules: LossRules;
  #state: TrainingState;
  #points: StepPoint[] = [];
  /** Bytes moved for the steps that are yet to be reported, those skipped included. */
  #moved = { bytes: 0, steps: 0 };
  #reported = performance.now();
  #saved = performance.now();
  #saveCost = 0;
  #savedStep = -1;
  #clock = performance.now();

  constructor(request: TrainRequest, host: TrainingHost, model: ModelFolder, run: string) {
    const { config, train } = request;
    this.#request = request;
    this.#host = host;
    this.#model = model;
    this.#store = new ParameterStore(
      [...model.tensors].map(([name, { shape }]) => ({ name, shape })),
      config.decay,
    );
    this.#checkpoints = new Checkpoints(request.workFolder);
    this.#plan = planEpochs(train.count, config.batchSize * config.accumulation, config.seed);
    this.#totalSteps = this.#plan.stepsPerEpoch * config.epochs;
    this.#rules = lossRules(config, request.eosTokenId);
    this.#state = stateAtStart(run);
  }

  async run(): Promise<TrainDone> {
    await this.#begin();
    const memory = this.#memory();
    const { sessions } = this.#host;
    const { config } = this.#request;
    const model = this.#model.config;
    const stepper = await this.#stepper(memory);
    const validator = await Validator.open(sessions, this.#store, {
      config: model,
      training: config,
      rules: this.#rules,
      data: this.#request.validation,
    });
    try {
      while (!this.#state.finished) {
        while (this.#state.stepInEpoch < this.#plan.stepsPerEpoch) await this.#advance(stepper);
        await this.#endEpoch(validator);
      }
    } catch (error) {
      if (error instanceof CancelledError) await this.#saveWithinEpoch();
      throw error;
    } finally {
      await stepper.close();
      await validator.close();
    }
    return this.#done(stepper);
  }

  /** How steps are taken: as this run began, and else as suits the provider. */
  async #stepper(memory: NonNullable<TrainingState['memory']>): Promise<Stepper> {
    const { sessions, memoryLimitBytes, device } = this.#host;
    const { config, train } = this.#request;
    await sessions.prove();
    const plan = {
      store: this.#store,
      training: config,
      data: train,
      rules: this.#rules,
      maxRows: memory.rows,
      totalSteps: this.#totalSteps,
    };
    const stepper = await openStepper(plan, {
      sessions,
      memoryLimitBytes,
      model: this.#model.config,
      mode: memory.mode,
      device: device ?? DEVICE_TRAINING[sessions.provider],
      carried: this.#state.loop,
      begun: this.#state.step > 0,
    });
    if (stepper.carried !== undefined) this.#state.loop = stepper.carried;
    return stepper;
  }

  /** How gradients are computed: as this run began, and else as the memory limit allows. */
  #memory(): NonNullable<TrainingState['memory']> {
    if (this.#state.memory !== undefined) return this.#state.memory;
    const { config, train } = this.#request;
    const { mode, rows } = requirePlan({
      config: this.#model.config,
      parameters: this.#store.values.length,
      wanted: Math.min(config.batchSize, train.count),
      length: train.length,
      memoryLimitBytes: this.#host.memoryLimitBytes,
      choice: config.memoryMode,
      // A checkpoint that does not say comes from a version that knew one way only.
      modes: this.#state.step > 0 ? ['whole'] : undefined,
    });
    this.#state.memory = { mode, rows };
    return { mode, rows };
  }

  /** Starts from the model's weights, or goes on from the newest checkpoint. */
  async #begin(): Promise<void> {
    const found = this.#request.resume ? await this.#checkpoints.newest() : null;
    if (found === null) {
      await this.#checkpoints.clear();
      for (const [name, entry] of this.#model.tensors) {
        this.#store.set(this.#store.values, name, await readTensor(entry));
      }
      return;
    }
    if (found.run !== this.#state.run) {
      throw new UserInputError(
        'RESUME_MISMATCH',
        `${this.#request.workFolder} holds a run with other settings, data or starting weights.`,
        'Start a new run.',
      );
    }
    await this.#checkpoints.load(found.step, this.#store);
    this.#state = found;
    this.#savedStep = found.step;
    const { step, epoch, epochs, recent, best } = found;
    this.#host.emit({
      type: 'resumed',
      step,
      epoch,
      epochs,
      steps: recent,
      best:
        best === null
          ? null
          : { folder: this.#checkpoints.folderOf(best.step), epoch: best.epoch, validationLoss: best.loss },
    });
    this.#state.recent = [];
  }

  async #advance(stepper: Stepper): Promise<void> {
    const { step, epoch, stepInEpoch } = this.#state;
    const most = Math.min(LOOK_AHEAD, this.#plan.stepsPerEpoch - stepInEpoch);
    const rows = Array.from({ length: most }, (_, i) => this.#plan.rows(epoch, stepInEpoch + i));
    const results = await stepper.advance(rows, step, this.#host.checkpoint);
    for (const result of results) this.#note(result);
    if (stepper.carried !== undefined) this.#state.loop = stepper.carried;
    this.#report(false);
    const due = Math.max(SAVE_MS, this.#saveCost / SAVE_SHARE);
    if (performance.now() - this.#saved > due && this.#state.stepInEpoch < this.#plan.stepsPerEpoch) {
      await this.#saveWithinEpoch();
    }
  }

  /** A step done. One that was skipped has no sensible loss or norm: it moves on, and leaves no point. */
  #note({ loss, norm, rate, taken, targets, tokens, seconds, bytesMoved }: StepResult): void {
    this.#moved = { bytes: this.#moved.bytes + bytesMoved, steps: this.#moved.steps + 1 };
    const { step, epoch, stepInEpoch } = this.#state;
    this.#state.step += 1;
    this.#state.stepInEpoch += 1;
    if (!taken) return;
    this.#state.epochLoss += loss * targets;
    this.#state.epochTargets += targets;
    const point: StepPoint = {
      step: step + 1,
      epoch: epoch + (stepInEpoch + 1) / this.#plan.stepsPerEpoch,
      loss,
      learningRate: rate,
      gradientNorm: norm,
      tokensPerSecond: tokens / seconds,
    };
    this.#points.push(point);
    this.#state.recent.push(point);
  }

  async #endEpoch(validator: Validator): Promise<void> {
    this.#report(true);
    const { config, samplePrompt, sampleTokens } = this.#request;
    const loss = await validator.loss(this.#host.checkpoint);
    const sample =
      samplePrompt === null
        ? null
        : await validator.sample(samplePrompt, sampleTokens, this.#host.checkpoint);
    const state = this.#state;
    const epoch = state.epoch + 1;
    const best = state.best === null || loss < state.best.loss;
    const trainLoss = state.epochLoss / Math.max(1, state.epochTargets);
    const epochsWithoutGain = best ? 0 : state.epochsWithoutGain + 1;
    const point = { epoch, step: state.step, trainLoss, validationLoss: loss, best };
    const stoppedEarly = config.patience > 0 && epochsWithoutGain >= config.patience;
    this.#state = {
      ...state,
      epoch,
      stepInEpoch: 0,
      epochLoss: 0,
      epochTargets: 0,
      best: best ? { epoch, step: state.step, loss } : state.best,
      epochs: [...state.epochs, point],
      epochsWithoutGain,
      stoppedEarly,
      finished: stoppedEarly || epoch >= config.epochs,
    };
    const checkpoint = await this.#save();
    this.#host.emit({ type: 'epoch', point, checkpoint, sample });
  }

  #report(now: boolean): void {
    if (this.#points.length === 0 || (!now && performance.now() - this.#reported < REPORT_MS)) return;
    const bytesPerStep = this.#moved.bytes / this.#moved.steps;
    this.#host.emit({ type: 'steps', steps: this.#points, totalSteps: this.#totalSteps, bytesPerStep });
    this.#points = [];
    this.#moved = { bytes: 0, steps: 0 };
    this.#reported = performance.now();
  }

  async #saveWithinEpoch(): Promise<void> {
    this.#report(true);
    if (this.#state.step !== this.#savedStep) await this.#save();
  }

  async #save(): Promise<string> {
    const start = performance.now();
    this.#state = { ...this.#state, seconds: this.#state.seconds + (start - this.#clock) / 1000 };
    this.#clock = start;
    const folder = await this.#checkpoints.save(this.#model.config, this.#store, this.#state);
    this.#state.recent = [];
    this.#saved = performance.now();
    this.#saveCost = this.#saved - start;
    this.#savedStep = this.#state.step;
    return folder;
  }

  #done(stepper: Stepper): TrainDone {
    const { best, step, seconds, stoppedEarly } = this.#state;
    if (best === null) {
      throw new EngineError(
        'TRAINING_NO_BEST',
        'No epoch gave a finite validation loss.',
        'Lower the learning rate, and check the validation data.',
      );
    }
    return {
      bestFolder: this.#checkpoints.folderOf(best.step),
      bestEpoch: best.epoch,
      bestValidationLoss: best.loss,
      stoppedEarly,
      steps: step,
      totalSteps: this.#totalSteps,
      seconds,
      peakRssBytes: peakRssBytes(),
      ...howComputed(stepper),
    };
  }
}

/**
 * Fine-tunes a model (METHODS section 5). Batches of one optimiser step weigh by their tokens; the order of
 * sequences and the dropout masks follow from the seed and counters alone, so that a run that was killed and
 * resumed ends with the same weights, bit for bit, as one that was not.
 */
export async function runTraining(request: TrainRequest, host: TrainingHost): Promise<TrainDone> {
  const model = await openModelFolder(request.folder);
  checkBlock(request.train, model.config, 'The training data');
  checkBlock(request.validation, model.config, 'The validation data');
  if (request.samplePrompt !== null) checkIds(request.samplePrompt, model.config, 'The sample prompt');
  const run = runIdentity(request, await model.weightsHash());
  return new Training(request, host, model, run).run();
}
