import { invariant } from '../../../shared/errors/index.ts';
import { live, signature } from '../../engine/graph/index.ts';
import type { PartGraph } from '../../engine/nn/layerGraphs.ts';
import type { Feeds, Results, Session, SessionFactory } from '../sessions.ts';

/** A part of the pass with its compiled form, which parts of the same structure share. */
export class CompiledPart {
  readonly gives: PartGraph['gives'];
  readonly masks: PartGraph['masks'];
  readonly inputs: readonly string[];
  readonly #session: Session;
  readonly #outputs: readonly string[];

  constructor({ graph, gives, masks }: PartGraph, session: Session) {
    const { inputs, outputs } = live(graph);
    this.gives = gives;
    this.masks = masks;
    this.inputs = inputs.map((t) => t.name);
    this.#outputs = outputs.map((o) => o.name);
    this.#session = session;
  }

  /** Runs it under its own names; the compiled form's differ where another part was the first to be compiled. */
  async run(feeds: Feeds, into: Feeds): Promise<Results> {
    const { inputs, outputs } = this.#session;
    const results = await this.#session.run(
      renamed(this.inputs, inputs, feeds),
      outputs,
      renamed(this.#outputs, outputs, into),
    );
    return renamed(outputs, this.#outputs, results);
  }
}

/** The values under `from[i]`, as far as there are, under `to[i]`. */
function renamed(from: readonly string[], to: readonly string[], values: Feeds): Feeds {
  return Object.fromEntries(
    from.flatMap((name, i) => {
      const [value, other] = [values[name], to[i]];
      return value === undefined || other === undefined ? [] : [[other, value]];
    }),
  );
}

/** Compiles parts; those of equal structure once. */
export class PartCompiler {
  readonly #sessions: SessionFactory;
  readonly #compiled = new Map<string, Session>();

  constructor(sessions: SessionFactory) {
    this.#sessions = sessions;
  }

  async compile(part: PartGraph): Promise<CompiledPart> {
    const exported = live(part.graph);
    const key = signature(exported);
    const session =
      this.#compiled.get(key) ?? (await this.#sessions.open(part.graph, { memoryPattern: false }));
    this.#compiled.set(key, session);
    invariant(session.inputs.length === exported.inputs.length, 'parts of one structure have like inputs');
    return new CompiledPart(part, session);
  }

  async close(): Promise<void> {
    const all = [...this.#compiled.values()];
    this.#compiled.clear();
    for (const session of all) await session.close();
  }
}
