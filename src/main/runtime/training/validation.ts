import type { ModelConfig, TrainingConfig } from '../../../shared/domain/index.ts';
import { invariant } from '../../../shared/errors/index.ts';
import type { Tensor } from '../../engine/graph/index.ts';
import { bestAtRows, nllAtRows, type WeightSource } from '../../engine/nn/readGraphs.ts';
import type { TokenBlock } from '../../models/index.ts';
import { i64, whole, type Session, type SessionFactory, type Value } from '../sessions.ts';
import { hidesPadding, type LossRules } from './batches.ts';
import { batchMean, evaluateBlock, tokenMean, type SequenceLosses } from './evaluate.ts';
import type { ParameterStore } from './parameters.ts';

/** How an evaluation loss is formed; the token mean does not depend on the batch size. */
const EVALUATION: Readonly<
  Record<TrainingConfig['evaluationMean'], (losses: SequenceLosses, batchSize: number) => number>
> = { batches: batchMean, tokens: tokenMean };

export interface ValidatorOptions {
  readonly config: ModelConfig;
  readonly training: TrainingConfig;
  readonly rules: LossRules;
  readonly data: TokenBlock;
}

/** Looks at a model in training: its validation loss, and what it says. */
export class Validator {
  readonly #options: ValidatorOptions;
  readonly #weights: Readonly<Record<string, Value>>;
  readonly #losses: Session;
  readonly #best: Session;

  private constructor(options: ValidatorOptions, store: ParameterStore, losses: Session, best: Session) {
    this.#options = options;
    this.#weights = store.feeds(store.values);
    this.#losses = losses;
    this.#best = best;
  }

  static async open(
    sessions: SessionFactory,
    store: ParameterStore,
    options: ValidatorOptions,
  ): Promise<Validator> {
    const source: WeightSource = (g) => {
      const tensors = new Map<string, Tensor>(
        store.parameters.map((p) => [p.name, g.input(p.name, 'float32', p.shape)]),
      );
      return (name) => {
        const tensor = tensors.get(name);
        invariant(tensor !== undefined, `no parameter ${name}`);
        return tensor;
      };
    };
    const losses = await sessions.open(nllAtRows(options.config, source, hidesPadding(options.rules)));
    return new Validator(options, store, losses, await sessions.open(bestAtRows(options.config, source)));
  }

  /** Loss of the current weights on the validation data; `between` is called before every run. */
  async loss(between: () => void): Promise<number> {
    const { config, training, rules, data } = this.#options;
    const losses = await evaluateBlock({
      data,
      vocabSize: config.vocabSize,
      rules,
      run: (feeds) => this.#losses.run({ ...this.#weights, ...feeds }),
      between,
    });
    return EVALUATION[training.evaluationMean](losses, training.evalBatchSize);
  }

  /** Greedy continuation of a prompt under the current weights. */
  async sample(prompt: readonly number[], tokens: number, between: () => void): Promise<number[]> {
    const text = [...prompt];
    while (text.length < prompt.length + tokens) {
      between();
      const window = text.slice(-this.#options.config.nCtx);
      const run = await this.#best.run({
        ...this.#weights,
        ids: i64(window, [1, window.length]),
        rows: i64([window.length - 1], [1]),
      });
      text.push(whole(run, 'best')[0] ?? 0);
    }
    return text.slice(prompt.length);
  }

  async close(): Promise<void> {
    await this.#losses.close();
    await this.#best.close();
  }
}
