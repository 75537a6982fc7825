import { invariant } from '../../../shared/errors/index.ts';
import { OPS } from './ops.ts';
import {
  bodiesOf,
  elements,
  shapeText,
  type Attrs,
  type DType,
  type Initializer,
  type Node,
  type Shape,
  type Subgraph,
  type Tensor,
  type TensorData,
  type TensorType,
} from './types.ts';

const BYTES: Record<DType, number> = { float32: 4, float16: 2, int64: 8, bool: 1 };
const MAX_CONSTANT_FOR_INFERENCE = 64;

/**
 * A computation under construction. Nodes are appended in topological order; every result is typed and
 * shaped at once, so that a fault shows where it is written and not when the graph runs.
 */
export class Graph {
  readonly name: string;
  readonly nodes: Node[] = [];
  readonly inputs: Tensor[] = [];
  readonly initializers = new Map<number, Initializer>();
  readonly outputs: { readonly name: string; readonly tensor: Tensor }[] = [];
  readonly #producers = new Map<number, Node>();
  readonly #names = new Set<string>();
  readonly #scalars = new Map<string, Tensor>();
  /** Tensors of the enclosing graph that are read here, by the id they have here. */
  readonly captures = new Map<number, Tensor>();
  readonly #scope: string;
  #nextId = 0;

  /**
   * `scope` goes before every name of a graph that another one runs: ONNX allows no name of an enclosing graph in
   * it a second time.
   */
  constructor(name: string, scope = '') {
    this.name = name;
    this.#scope = scope;
  }

  #tensor(type: TensorType, name: string): Tensor {
    const id = this.#nextId++;
    let unique = `${this.#scope}${name}`;
    while (this.#names.has(unique)) unique = `${this.#scope}${name}_${id}`;
    this.#names.add(unique);
    return { id, name: unique, dtype: type.dtype, shape: [...type.shape] };
  }

  /** A value fed at every run. */
  input(name: string, dtype: DType, shape: Shape): Tensor {
    invariant(!this.#names.has(`${this.#scope}${name}`), `graph ${this.name}: two tensors named ${name}`);
    const tensor = this.#tensor({ dtype, shape }, name);
    this.inputs.push(tensor);
    return tensor;
  }

  /** A tensor of the enclosing graph, read here; the same one each time it is asked for. */
  outer(tensor: Tensor): Tensor {
    for (const [id, known] of this.captures) if (known === tensor) return { ...tensor, id };
    const id = this.#nextId++;
    this.captures.set(id, tensor);
    return { ...tensor, id };
  }

  /** A value that is part of the model. */
  constant(name: string, shape: readonly number[], data: TensorData): Tensor {
    const dtype: DType =
      data instanceof Float32Array ? 'float32' : data instanceof BigInt64Array ? 'int64' : 'bool';
    invariant(
      elements(shape) === data.length,
      `constant ${name}: ${data.length} values for ${shapeText(shape)}`,
    );
    const tensor = this.#tensor({ dtype, shape }, name);
    this.initializers.set(tensor.id, { kind: 'inline', tensor, data });
    return tensor;
  }

  /** A float32 weight whose bytes lie in a file (little-endian, row-major), read by the runtime itself. */
  external(
    name: string,
    shape: readonly number[],
    place: { file: string; offset: number; length: number },
  ): Tensor {
    const tensor = this.#tensor({ dtype: 'float32', shape }, name);
    const bytes = (elements(shape) ?? 0) * BYTES.float32;
    invariant(bytes === place.length, `weight ${name}: ${place.length} bytes for ${shapeText(shape)}`);
    this.initializers.set(tensor.id, { kind: 'external', tensor, ...place });
    return tensor;
  }

  /** A float scalar, shared by all its uses. */
  scalar(value: number): Tensor {
    const key = `f${Object.is(value, -0) ? '-0' : value}`;
    const known = this.#scalars.get(key);
    if (known !== undefined) return known;
    const tensor = this.constant(`scalar_${this.#scalars.size}`, [], Float32Array.of(value));
    this.#scalars.set(key, tensor);
    return tensor;
  }

  /** A row of ones [1, n], shared by all its uses. */
  ones(n: number): Tensor {
    const key = `o${n}`;
    const known = this.#scalars.get(key);
    if (known !== undefined) return known;
    const tensor = this.constant(`ones_${this.#scalars.size}`, [1, n], new Float32Array(n).fill(1));
    this.#scalars.set(key, tensor);
    return tensor;
  }

  /** A small int64 vector (axes, shapes), shared by all its uses. */
  ints(values: readonly number[]): Tensor {
    const key = `i${values.join(',')}`;
    const known = this.#scalars.get(key);
    if (known !== undefined) return known;
    const data = BigInt64Array.from(values, (v) => BigInt(v));
    const tensor = this.constant(`ints_${this.#scalars.size}`, [values.length], data);
    this.#scalars.set(key, tensor);
    return tensor;
  }

  /** An int64 scalar, shared by all its uses. */
  int(value: number): Tensor {
    const key = `s${value}`;
    const known = this.#scalars.get(key);
    if (known !== undefined) return known;
    const tensor = this.constant(`int_${this.#scalars.size}`, [], BigInt64Array.of(BigInt(value)));
    this.#scalars.set(key, tensor);
    return tensor;
  }

  /** Appends a node; `wanted` gives the result's shape to ops that cannot tell it from their inputs. */
  nodeOf(op: string, inputs: readonly Tensor[], attrs: Attrs = {}, wanted?: Shape, name?: string): Tensor[] {
    const def = OPS[op];
    invariant(def !== undefined, `unknown op ${op}`);
    const [min, max] = def.inputs;
    invariant(inputs.length >= min && inputs.length <= max, `${op}: ${inputs.length} inputs`);
    const types = def.infer({ op, inputs, attrs, wanted, ints: (i) => this.#constantInts(op, inputs, i) });
    const outputs = types.map((t, i) =>
      this.#tensor(t, `${name ?? op}_${this.#nextId}${i === 0 ? '' : `.${i}`}`),
    );
    const node: Node = { op, inputs: [...inputs], outputs, attrs };
    this.nodes.push(node);
    for (const o of outputs) this.#producers.set(o.id, node);
    return outputs;
  }

  /** A node with one result. */
  op(op: string, inputs: readonly Tensor[], attrs: Attrs = {}, wanted?: Shape): Tensor {
    const [first] = this.nodeOf(op, inputs, attrs, wanted);
    invariant(first !== undefined, `${op} gives no result`);
    return first;
  }

  output(name: string, tensor: Tensor): void {
    const scoped = `${this.#scope}${name}`;
    invariant(!this.outputs.some((o) => o.name === scoped), `graph ${this.name}: two outputs named ${name}`);
    this.outputs.push({ name: scoped, tensor });
  }

  /**
   * Puts in the place of every node the nodes that `replace` gives for it, in their order; together they must
   * compute the node's own results. `value` makes a tensor between them.
   */
  rewrite(replace: (node: Node, value: (name: string, type: TensorType) => Tensor) => readonly Node[]): void {
    for (const node of this.nodes.splice(0)) {
      for (const made of replace(node, (name, type) => this.#tensor(type, name))) {
        this.nodes.push(made);
        for (const o of made.outputs) this.#producers.set(o.id, made);
      }
    }
  }

  producer(tensor: Tensor): Node | undefined {
    return this.#producers.get(tensor.id);
  }

  #constantInts(op: string, inputs: readonly Tensor[], i: number): readonly number[] {
    const tensor = inputs[i];
    const init = tensor === undefined ? undefined : this.initializers.get(tensor.id);
    invariant(
      init?.kind === 'inline' &&
        init.data instanceof BigInt64Array &&
        init.data.length <= MAX_CONSTANT_FOR_INFERENCE,
      `${op}: input ${i} must be a small int64 constant`,
    );
    return Array.from(init.data, Number);
  }
}

/** What an export keeps: only what the outputs need (the runtime insists on every declared input). */
export interface LiveGraph {
  readonly name: string;
  readonly inputs: readonly Tensor[];
  readonly initializers: readonly Initializer[];
  readonly nodes: readonly Node[];
  readonly outputs: readonly { readonly name: string; readonly tensor: Tensor }[];
  /** Tensors of the enclosing graph that are read, by the id they have here. */
  readonly captures: ReadonlyMap<number, Tensor>;
}

/**
 * Dead code eliminated: nodes, initializers and inputs that no output depends on are left out. What a node's own
 * graphs read counts as its input.
 */
export function live(graph: Subgraph): LiveGraph {
  invariant(graph.outputs.length > 0, `graph ${graph.name} has no output`);
  const needed = new Set(graph.outputs.map((o) => o.tensor.id));
  const nodes: Node[] = [];
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i];
    if (node === undefined || !node.outputs.some((o) => needed.has(o.id))) continue;
    nodes.push(node);
    for (const t of node.inputs) needed.add(t.id);
    for (const body of bodiesOf(node)) {
      for (const t of live(body).captures.values()) needed.add(t.id);
    }
  }
  nodes.reverse();
  return {
    name: graph.name,
    nodes,
    inputs: graph.inputs.filter((t) => needed.has(t.id)),
    initializers: [...graph.initializers.values()].filter((x) => needed.has(x.tensor.id)),
    outputs: graph.outputs,
    captures: new Map([...graph.captures].filter(([id]) => needed.has(id))),
  };
}
