import { InvariantError } from '../../shared/errors/index.ts';
import type { GraphCompiler } from '../engine/interp/compiler.ts';
import type { LoadedModel } from './modelCache.ts';
import { floats } from './sessions.ts';

/** What the patch engine asks of the runtime, for one model: its weights' places and its graphs compiled. */
export function graphCompiler(model: LoadedModel): GraphCompiler {
  return {
    compile: async (graph) => {
      const session = await model.compile(graph);
      return {
        run: async (feeds, fetches) => {
          const results = await session.run(feeds, fetches);
          return Object.fromEntries(fetches.map((name) => [name, floats(results, name)]));
        },
      };
    },
    weight: (name) => {
      const entry = model.folder.tensors.get(name);
      if (entry === undefined) throw new InvariantError(`${model.folder.folder} has no weight ${name}`);
      return entry;
    },
  };
}
