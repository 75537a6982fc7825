import { dirname } from 'node:path';
import { EngineError, invariant } from '../../shared/errors/index.ts';
import type { CompiledGraph, GraphCompiler } from '../engine/interp/compiler.ts';
import type { Graph } from '../engine/graph/index.ts';
import type { ModelFolder } from '../models/types.ts';
import type { Session, SessionFactory } from './sessions.ts';

/** Compiles the engine's graphs over one model's weights, which stay in their files and are mapped. */
export class FolderCompiler implements GraphCompiler {
  readonly #factory: SessionFactory;
  readonly #model: ModelFolder;
  readonly #open: Session[] = [];

  constructor(factory: SessionFactory, model: ModelFolder) {
    this.#factory = factory;
    this.#model = model;
  }

  weight(name: string): { shape: readonly number[]; file: string; offset: number; length: number } {
    const entry = this.#model.tensors.get(name);
    invariant(entry !== undefined, `the model has no weight ${name}`);
    if (entry.dtype !== 'F32') {
      throw new EngineError(
        'MODEL_PRECISION',
        `${entry.file}: ${name} is stored as ${entry.dtype}; only F32 weights can be run.`,
        'Save the model in float32 and import it again.',
      );
    }
    return entry;
  }

  async compile(graph: Graph): Promise<CompiledGraph> {
    const [first] = this.#model.tensors.values();
    invariant(first !== undefined, 'a model has weights');
    const session = await this.#factory.open(graph, { folder: dirname(first.file) });
    this.#open.push(session);
    return {
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

  async close(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((s) => s.close()));
  }
}
