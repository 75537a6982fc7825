import { live, type LiveGraph } from './graph.ts';
import { bodiesOf, type Initializer, type Node, type Tensor } from './types.ts';

/** Two 32-bit FNV-1a hashes of different start, as text: enough to tell the constants of like graphs apart. */
function digest(bytes: Uint8Array): string {
  let [a, b] = [0x811c9dc5, 0x1b873593];
  for (const byte of bytes) {
    a = Math.imul(a ^ byte, 0x01000193);
    b = Math.imul(b ^ byte, 0x01000193);
  }
  return `${(a >>> 0).toString(16)}${(b >>> 0).toString(16)}`;
}

function constantText(init: Initializer): string {
  if (init.kind === 'external') return `${init.file}@${init.offset}+${init.length}`;
  const { buffer, byteOffset, byteLength } = init.data;
  return digest(new Uint8Array(buffer, byteOffset, byteLength));
}

/**
 * What a graph computes, whatever its tensors are called: equal texts mean that one compiled form serves both,
 * inputs and outputs taken by their place in the lists.
 */
export function signature({ inputs, initializers, nodes, outputs, captures }: LiveGraph): string {
  const places = new Map<number, number>();
  const idPlace = (id: number): number => {
    const known = places.get(id) ?? places.size;
    places.set(id, known);
    return known;
  };
  const place = (t: Tensor): number => idPlace(t.id);
  const typed = (t: Tensor): string => `${place(t)}:${t.dtype}[${t.shape.join()}]`;
  const attributes = ({ attrs }: Node): string =>
    JSON.stringify(attrs, (key, value: unknown) => (key === 'graph' ? null : value));
  /** A body by what it computes, and by where in this graph stands what it reads. */
  const body = (graph: LiveGraph): string =>
    `{${[...graph.captures.values()].map(place).join()}\n${signature(graph)}}`;
  const step = (node: Node): string => {
    const bodies = bodiesOf(node).map((graph) => body(live(graph)));
    return `${node.op}(${node.inputs.map(place).join()})${attributes(node)}${bodies.join('')}→${node.outputs.map(typed).join()}`;
  };
  return [
    inputs.map(typed).join(';'),
    ...(captures.size === 0 ? [] : [[...captures.keys()].map(idPlace).join()]),
    initializers.map((init) => `${typed(init.tensor)}=${constantText(init)}`).join(';'),
    nodes.map(step).join(';'),
    outputs.map(({ tensor }) => place(tensor)).join(),
  ].join('\n');
}
