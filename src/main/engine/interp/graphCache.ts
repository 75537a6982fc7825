import type { ModelConfig } from '../../../shared/domain/index.ts';
import type { Graph } from '../graph/index.ts';
import type { CompiledGraph, GraphCompiler } from './compiler.ts';

/** Graphs of one model by name, each built and compiled when first asked for and kept. */
export class GraphCache {
  readonly config: ModelConfig;
  readonly #compiler: GraphCompiler;
  readonly #made = new Map<string, Promise<CompiledGraph>>();

  constructor(config: ModelConfig, compiler: GraphCompiler) {
    this.config = config;
    this.#compiler = compiler;
  }

  /** `build` is called once for a name; everything that changes the graph is in the name. */
  get(
    name: string,
    build: (config: ModelConfig, compiler: GraphCompiler) => Graph,
    options: { readonly shared?: boolean } = {},
  ): Promise<CompiledGraph> {
    const known = this.#made.get(name);
    if (known !== undefined) return known;
    const made = this.#compiler.compile(build(this.config, this.#compiler), options);
    this.#made.set(name, made);
    made.catch(() => this.#made.delete(name));
    return made;
  }
}
