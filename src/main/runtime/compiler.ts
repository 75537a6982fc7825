import { invariant } from '../../shared/errors/index.ts';
import type { CompiledGraph, GraphCompiler, WeightPlace } from '../engine/interp/compiler.ts';
import type { Graph } from '../engine/graph/index.ts';
import type { LoadedModel } from './modelCache.ts';

/** Compiles the engine's graphs over one loaded model; its weights stay in their files and are mapped. */
export class ModelCompiler implements GraphCompiler {
  readonly #model: LoadedModel;

  constructor(model: LoadedModel) {
    this.#model = model;
  }

  weight(name: string): WeightPlace {
    const entry = this.#model.folder.tensors.get(name);
    invariant(entry !== undefined, `the model has no weight ${name}`);
    return entry;
  }

  /** Graphs are kept by name for as long as the model is loaded, or until they are closed. */
  async compile(graph: Graph, options: { readonly shared?: boolean } = {}): Promise<CompiledGraph> {
    const name = `patch:${graph.name}`;
    const session = await this.#model.session(name, () => graph, options);
    return {
      close: () => this.#model.closeSession(name),
      run: async (feeds, fetches) => {
        const results = await session.run(feeds, fetches);
        return Object.fromEntries(
          Object.entries(results).map(([name, { data }]) => {
            invariant(data instanceof Float32Array, `output ${name} of ${session.name} is float32`);
            return [name, data];
          }),
        );
      },
    };
  }
}
