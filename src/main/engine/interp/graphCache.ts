import type { ModelConfig } from '../../../shared/domain/index.ts';
import type { Graph } from '../graph/index.ts';
import type { CompiledGraph, GraphCompiler } from './compiler.ts';

type Build = (config: ModelConfig, compiler: GraphCompiler) => Graph;

/** A graph in use: it is not closed before it is released. */
export interface Lease {
  readonly graph: CompiledGraph;
  readonly release: () => void;
}

interface Slot {
  readonly graph: Promise<CompiledGraph>;
  users: number;
}

/** Leased graphs that stay compiled while nobody uses them: each may hold weights of its own. */
const IDLE = 1;

/** Graphs of one model by name: everything that changes a graph is in its name, and `build` makes it once. */
export class GraphCache {
  readonly config: ModelConfig;
  readonly #compiler: GraphCompiler;
  readonly #kept = new Map<string, Promise<CompiledGraph>>();
  /** Least recently used first. */
  readonly #leased = new Map<string, Slot>();

  constructor(config: ModelConfig, compiler: GraphCompiler) {
    this.config = config;
    this.#compiler = compiler;
  }

  /** A graph over the mapped weights, kept as long as the model. */
  get(name: string, build: Build): Promise<CompiledGraph> {
    const known = this.#kept.get(name);
    if (known !== undefined) return known;
    const made = this.#compiler.compile(build(this.config, this.#compiler), { shared: true });
    this.#kept.set(name, made);
    made.catch(() => this.#kept.delete(name));
    return made;
  }

  /** A graph that is fast and large: the weights may be copied for it, and it is closed once others are used. */
  async lease(name: string, build: Build): Promise<Lease> {
    if (!this.#leased.has(name)) await this.#closeIdle(IDLE);
    const slot = this.#leased.get(name) ?? {
      graph: this.#compiler.compile(build(this.config, this.#compiler)),
      users: 0,
    };
    slot.users += 1;
    this.#leased.delete(name);
    this.#leased.set(name, slot);
    try {
      const graph = await slot.graph;
      let open = true;
      const release = (): void => {
        if (open) slot.users -= 1;
        open = false;
      };
      return { graph, release };
    } catch (error) {
      this.#leased.delete(name);
      throw error;
    }
  }

  async #closeIdle(keep: number): Promise<void> {
    const idle = [...this.#leased].filter(([, { users }]) => users === 0);
    for (const [name, slot] of idle.slice(0, Math.max(0, idle.length - keep))) {
      this.#leased.delete(name);
      const graph = await slot.graph;
      await graph.close?.();
    }
  }
}
