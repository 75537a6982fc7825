import { InvariantError, invariant } from '../../../shared/errors/index.ts';
import * as b from '../graph/builder.ts';
import { shapeText, type Graph, type Node, type Tensor } from '../graph/index.ts';
import { sameShape } from '../graph/shapes.ts';
import { fitTo, zerosLike } from './helpers.ts';
import { ADDING, NO_GRADIENT, VJP } from './table.ts';
import type { Rule, VjpContext } from './types.ts';

/** Where differentiation starts: a tensor and ∂loss/∂tensor in its shape. */
export interface Seed {
  readonly tensor: Tensor;
  readonly cotangent: Tensor;
}

/**
 * Reverse-mode differentiation: appends to `g` the nodes that compute ∂loss/∂t for every t of `wrt`, where
 * the loss is known by its cotangents at the seeds. Any float tensor of the graph may be asked for, also one
 * in the middle. The gradients are ordinary nodes in the tensors' shapes; null where the loss does not
 * depend on a tensor.
 * @throws InvariantError naming the op and the input when a rule is missing.
 */
export function gradients(g: Graph, seeds: readonly Seed[], wrt: readonly Tensor[]): (Tensor | null)[] {
  const forward = [...g.nodes];
  const reached = reachable(forward, wrt);
  const parts = new Map<number, Tensor[]>();
  const put = (t: Tensor, gradient: Tensor): void => {
    const list = parts.get(t.id);
    if (list === undefined) parts.set(t.id, [gradient]);
    else list.push(gradient);
  };
  /** The sum of what has arrived at a tensor; complete once every later node has been visited. */
  const total = (t: Tensor): Tensor | undefined => {
    const list = parts.get(t.id);
    if (list === undefined) return undefined;
    const sum = list.reduce((a, x) => b.add(g, a, x));
    parts.set(t.id, [sum]);
    return sum;
  };

  for (const { tensor, cotangent } of seeds) {
    invariant(
      sameShape(tensor.shape, cotangent.shape),
      `cotangent ${shapeText(cotangent.shape)} of ${tensor.name} ${shapeText(tensor.shape)}`,
    );
    put(tensor, cotangent);
  }
  for (let i = forward.length - 1; i >= 0; i--) {
    const node = forward[i];
    if (node === undefined || !node.outputs.some((o) => reached.has(o.id) && parts.has(o.id))) continue;
    const c = context(g, node, total);
    node.inputs.forEach((x, input) => {
      if (!reached.has(x.id)) return;
      const adding = ADDING[node.op]?.[input];
      const arrived = adding === undefined ? undefined : total(x);
      if (adding !== undefined && arrived !== undefined) {
        parts.set(x.id, [adding(c, arrived)]);
        return;
      }
      const rule = ruleOf(node, input);
      if (rule !== null) put(x, fitTo(g, rule(c), x.shape));
    });
  }
  return wrt.map((t) => total(t) ?? null);
}

/** Ids of every tensor that depends on one of `roots` through differentiable ops. */
function reachable(nodes: readonly Node[], roots: readonly Tensor[]): Set<number> {
  const reached = new Set(roots.map((t) => t.id));
  for (const node of nodes) {
    if (NO_GRADIENT.has(node.op) || !node.inputs.some((x) => reached.has(x.id))) continue;
    for (const o of node.outputs) if (o.dtype === 'float32') reached.add(o.id);
  }
  return reached;
}

function ruleOf(node: Node, input: number): Rule | null {
  const entry = VJP[node.op];
  const rule = typeof entry === 'function' ? entry(input) : entry?.[input];
  if (rule === undefined) {
    const name = node.inputs[input]?.name ?? '?';
    throw new InvariantError(`no gradient rule for input ${input} (${name}) of ${node.op}`);
  }
  return rule;
}

function context(g: Graph, node: Node, total: (t: Tensor) => Tensor | undefined): VjpContext {
  const shared = new Map<string, Tensor>();
  const at = (list: readonly Tensor[], i: number, what: string): Tensor => {
    const t = list[i];
    invariant(t !== undefined, `${node.op} has no ${what} ${i}`);
    return t;
  };
  const once = (key: string, build: () => Tensor): Tensor => {
    const known = shared.get(key);
    if (known !== undefined) return known;
    const made = build();
    shared.set(key, made);
    return made;
  };
  return {
    g,
    node,
    x: (i) => at(node.inputs, i, 'input'),
    y: (i) => at(node.outputs, i, 'output'),
    dy: (i) => {
      const y = at(node.outputs, i, 'output');
      return once(`dy${i}`, () => total(y) ?? zerosLike(g, y));
    },
    attr: (name, fallback) => {
      const value = node.attrs[name] ?? fallback;
      invariant(typeof value === 'number', `${node.op}: attribute ${name} is no number`);
      return value;
    },
    once,
  };
}
