import type { ModelConfig } from '../../../shared/domain/index.ts';
import type { CompiledGraph, GraphCompiler } from './compiler.ts';
import { embedGraph, headGraph, lastGraph, logitsGraph, walkGraph, type HeadNeeds } from './graphs.ts';

/** The compiled graphs of one model, each made when first asked for and kept. */
export class PatchSessions {
  readonly config: ModelConfig;
  readonly #compiler: GraphCompiler;
  readonly #made = new Map<string, Promise<CompiledGraph>>();

  constructor(config: ModelConfig, compiler: GraphCompiler) {
    this.config = config;
    this.#compiler = compiler;
  }

  #once(key: string, make: () => Promise<CompiledGraph>): Promise<CompiledGraph> {
    let made = this.#made.get(key);
    if (made === undefined) {
      made = make();
      this.#made.set(key, made);
      made.catch(() => this.#made.delete(key));
    }
    return made;
  }

  embed(): Promise<CompiledGraph> {
    return this.#once('embed', () => this.#compiler.compile(embedGraph(this.config, this.#compiler)));
  }

  /** Blocks before the last. */
  walk(layer: number): Promise<CompiledGraph> {
    return this.#once(`walk${layer}`, () =>
      this.#compiler.compile(walkGraph(this.config, this.#compiler, layer)),
    );
  }

  last(): Promise<CompiledGraph> {
    return this.#once('last', () => this.#compiler.compile(lastGraph(this.config, this.#compiler)));
  }

  head(needs: HeadNeeds): Promise<CompiledGraph> {
    const key = `head${needs.full ? 'f' : ''}${needs.cross ? 'c' : ''}`;
    return this.#once(key, () => this.#compiler.compile(headGraph(this.config, this.#compiler, needs)));
  }

  logits(): Promise<CompiledGraph> {
    return this.#once('logits', () => this.#compiler.compile(logitsGraph(this.config, this.#compiler)));
  }

  /** Everything a sweep uses, so that the first packed batch does not pay for it. */
  async warm(needs: HeadNeeds): Promise<void> {
    await this.embed();
    for (let layer = 0; layer < this.config.nLayer - 1; layer++) await this.walk(layer);
    await this.last();
    await this.head(needs);
  }
}
