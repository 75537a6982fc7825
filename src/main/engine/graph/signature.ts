import type { Initializer, Node, Tensor } from './types.ts';
import type { LiveGraph } from './graph.ts';

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
export function signature({ inputs, initializers, nodes, outputs }: LiveGraph): string {
  const places = new Map<number, number>();
  const place = (t: Tensor): number => {
    const known = places.get(t.id);
    if (known !== undefined) return known;
    places.set(t.id, places.size);
    return places.size - 1;
  };
  const typed = (t: Tensor): string => `${place(t)}:${t.dtype}[${t.shape.join()}]`;
  const step = (node: Node): string =>
    `${node.op}(${node.inputs.map(place).join()})${JSON.stringify(node.attrs)}→${node.outputs.map(typed).join()}`;
  return [
    inputs.map(typed).join(';'),
    initializers.map((init) => `${typed(init.tensor)}=${constantText(init)}`).join(';'),
    nodes.map(step).join(';'),
    outputs.map(({ tensor }) => place(tensor)).join(),
  ].join('\n');
}
