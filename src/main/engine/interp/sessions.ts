import type { ModelConfig } from '../../../shared/domain/index.ts';
import type { CompiledGraph, GraphCompiler } from './compiler.ts';
import type { WalkPoints } from './editGraph.ts';
import { embedGraph, finalGraph, lastGraph, walkGraph } from './graphs.ts';
import { headGraph, logitsGraph, type HeadNeeds } from './headGraphs.ts';

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

  /** A block as every packed batch uses it; the last one too, where all its rows are wanted. */
  walk(layer: number): Promise<CompiledGraph> {
    return this.#once(`walk${layer}`, () =>
      this.#compiler.compile(walkGraph(this.config, this.#compiler, layer)),
    );
  }

  /** A block in which rows are replaced or recorded at inner points; its weights are not laid out a second time. */
  inner(layer: number, points: WalkPoints): Promise<CompiledGraph> {
    const key = `walk${layer} ${points.edit.join()} ${points.record.join()}`;
    return this.#once(key, () =>
      this.#compiler.compile(walkGraph(this.config, this.#compiler, layer, points), { shared: true }),
    );
  }

  last(): Promise<CompiledGraph> {
    return this.#once('last', () => this.#compiler.compile(lastGraph(this.config, this.#compiler)));
  }

  final(points: WalkPoints): Promise<CompiledGraph> {
    return this.#once(`final ${points.edit.join()} ${points.record.join()}`, () =>
      this.#compiler.compile(finalGraph(this.config, this.#compiler, points)),
    );
  }

  head(needs: HeadNeeds): Promise<CompiledGraph> {
    const key = `head${needs.full ? 'f' : ''}${needs.cross ? 'c' : ''}${needs.rank ? 'r' : ''}`;
    return this.#once(key, () => this.#compiler.compile(headGraph(this.config, this.#compiler, needs)));
  }

  logits(): Promise<CompiledGraph> {
    return this.#once('logits', () => this.#compiler.compile(logitsGraph(this.config, this.#compiler)));
  }

  /** Everything an ordinary sweep uses, so that the first packed batch does not pay for it. */
  async warm(needs: HeadNeeds): Promise<void> {
    await this.embed();
    for (let layer = 0; layer < this.config.nLayer - 1; layer++) await this.walk(layer);
    await this.last();
    await this.head(needs);
  }
}
