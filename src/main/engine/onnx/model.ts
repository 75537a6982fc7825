import {
  bodiesOf,
  live,
  RUNTIME_OPS,
  type LiveGraph,
  type AttrValue,
  type DType,
  type Graph,
  type Initializer,
  type Node,
  type Subgraph,
  type Tensor,
} from '../graph/index.ts';
import { WireWriter } from './wire.ts';

/** DirectML documents opset 20 as its ceiling; IR 9 is the version that goes with it. */
const OPSET = 20;
const IR_VERSION = 9;
const RUNTIME_DOMAIN = 'com.microsoft';

/** TensorProto.DataType of onnx.proto. */
const ELEMENT: Record<DType, number> = { float32: 1, int64: 7, bool: 9, float16: 10 };
/** AttributeProto.AttributeType. */
const ATTRIBUTE = { float: 1, int: 2, string: 3, graph: 5, ints: 7 } as const;

/**
 * The graph as an ONNX model file (protobuf), dead code left out. External weights are named by the
 * file's last path component: the session is told the folder.
 */
export function toOnnx(graph: Graph): Uint8Array {
  const g = live(graph);
  const w = new WireWriter();
  w.int(1, IR_VERSION);
  w.string(2, 'engram');
  w.message(7, (m) => writeGraph(m, g, NO_ENCLOSING));
  w.message(8, (m) => {
    m.string(1, '');
    m.int(2, OPSET);
  });
  if (usesRuntimeOps(g)) {
    w.message(8, (m) => {
      m.string(1, RUNTIME_DOMAIN);
      m.int(2, 1);
    });
  }
  return w.finish();
}

type NameOf = (tensor: Tensor) => string;
const NO_ENCLOSING: NameOf = (tensor) => tensor.name;

const usesRuntimeOps = ({ nodes }: Pick<Subgraph, 'nodes'>): boolean =>
  nodes.some((node) => RUNTIME_OPS.has(node.op) || bodiesOf(node).some(usesRuntimeOps));

/** GraphProto; `enclosing` names the tensors of the graph around it. */
function writeGraph(m: WireWriter, g: LiveGraph, enclosing: NameOf): void {
  const names = publicNames(g);
  const nameOf: NameOf = (tensor) => {
    const captured = g.captures.get(tensor.id);
    return captured === undefined ? (names.get(tensor.id) ?? tensor.name) : enclosing(captured);
  };
  for (const node of g.nodes) m.message(1, (n) => writeNode(n, node, nameOf));
  for (const { name, tensor } of g.outputs) {
    if (nameOf(tensor) !== name) m.message(1, (n) => writeIdentity(n, nameOf(tensor), name));
  }
  m.string(2, g.name);
  for (const init of g.initializers) m.message(5, (t) => writeInitializer(t, init));
  for (const t of g.inputs) m.message(11, (v) => writeValueInfo(v, t.name, t));
  for (const { name, tensor } of g.outputs) m.message(12, (v) => writeValueInfo(v, name, tensor));
}

/**
 * Outputs carry the caller's names. A tensor that a node computes takes the name itself; one that is an input or
 * has a name already is copied under the new one, which costs a run the copy.
 */
function publicNames(g: LiveGraph): Map<number, string> {
  const computed = new Set(g.nodes.flatMap((node) => node.outputs.map((t) => t.id)));
  const taken = new Set(
    [...g.inputs, ...g.initializers.map((i) => i.tensor), ...g.nodes.flatMap((n) => n.outputs)].map(
      (t) => t.name,
    ),
  );
  const names = new Map<number, string>();
  for (const { name, tensor } of g.outputs) {
    if (computed.has(tensor.id) && !names.has(tensor.id) && !taken.has(name)) names.set(tensor.id, name);
  }
  return names;
}

function writeIdentity(w: WireWriter, from: string, to: string): void {
  w.string(1, from);
  w.string(2, to);
  w.string(4, 'Identity');
}

function writeNode(w: WireWriter, node: Node, nameOf: NameOf): void {
  for (const t of node.inputs) w.string(1, nameOf(t));
  for (const t of node.outputs) w.string(2, nameOf(t));
  w.string(3, node.outputs[0]?.name ?? node.op);
  w.string(4, node.op);
  if (RUNTIME_OPS.has(node.op)) w.string(7, RUNTIME_DOMAIN);
  for (const [name, value] of Object.entries(node.attrs))
    w.message(5, (a) => writeAttribute(a, name, value, nameOf));
}

function writeAttribute(w: WireWriter, name: string, value: AttrValue, nameOf: NameOf): void {
  w.string(1, name);
  if (typeof value === 'number') {
    w.int(3, value);
    w.int(20, ATTRIBUTE.int);
  } else if (typeof value === 'string') {
    w.string(4, value);
    w.int(20, ATTRIBUTE.string);
  } else if ('float' in value) {
    w.float(2, value.float);
    w.int(20, ATTRIBUTE.float);
  } else if ('graph' in value) {
    // A body's inputs go by their place: all are declared, also those that it does not read.
    const body = { ...live(value.graph), inputs: value.graph.inputs };
    w.message(6, (m) => writeGraph(m, body, nameOf));
    w.int(20, ATTRIBUTE.graph);
  } else {
    for (const v of value) w.int(8, v);
    w.int(20, ATTRIBUTE.ints);
  }
}

function writeInitializer(w: WireWriter, init: Initializer): void {
  for (const d of init.tensor.shape) w.int(1, Number(d));
  w.int(2, ELEMENT[init.tensor.dtype]);
  w.string(8, init.tensor.name);
  if (init.kind === 'inline') {
    w.bytes(9, new Uint8Array(init.data.buffer, init.data.byteOffset, init.data.byteLength));
    return;
  }
  const entries = {
    location: init.file.split(/[\\/]/).at(-1) ?? init.file,
    offset: init.offset,
    length: init.length,
  };
  for (const [key, value] of Object.entries(entries)) {
    w.message(13, (e) => {
      e.string(1, key);
      e.string(2, String(value));
    });
  }
  w.int(14, 1);
}

function writeValueInfo(w: WireWriter, name: string, t: Tensor): void {
  w.string(1, name);
  w.message(2, (type) =>
    type.message(1, (tensor) => {
      tensor.int(1, ELEMENT[t.dtype]);
      tensor.message(2, (shape) => {
        for (const d of t.shape) {
          shape.message(1, (dim) => (typeof d === 'number' ? dim.int(1, d) : dim.string(2, d)));
        }
      });
    }),
  );
}
