import type { Piece } from './types.ts';
import type { TaskTools } from './tools.ts';

/** A prompt with the tokens [start, end) of its spans, the BOS counted. */
export interface LaidOut {
  readonly text: string;
  readonly ids: readonly number[];
  readonly spans: Readonly<Record<string, [number, number]>>;
}

export function textOf(pieces: readonly Piece[]): string {
  return pieces.map((piece) => (typeof piece === 'string' ? piece : piece[1])).join('');
}

/**
 * Tokenizes a prompt and finds its spans; END is the last token. Null where the edge of a span does not fall
 * between two tokens: the text up to it must have the first tokens of the whole.
 */
export function layOut(pieces: readonly Piece[], tools: TaskTools): LaidOut | null {
  const text = textOf(pieces);
  const ids = tools.encode(text);
  const { offset } = tools.context;
  const edge = (end: number): number | null => {
    if (end === 0) return 0;
    const before = tools.encode(text.slice(0, end));
    return before.every((id, i) => id === ids[i]) ? before.length : null;
  };
  const spans: Record<string, [number, number]> = {};
  let at = 0;
  for (const piece of pieces) {
    const part = typeof piece === 'string' ? piece : piece[1];
    if (typeof piece !== 'string') {
      const [start, end] = [edge(at), edge(at + part.length)];
      if (start === null || end === null || end <= start) return null;
      spans[piece[0]] = [offset + start, offset + end];
    }
    at += part.length;
  }
  spans['END'] = [offset + ids.length - 1, offset + ids.length];
  return { text, ids, spans };
}

/** Fills `{slot}` of a template with pieces; a slot's leading space joins its span. */
export function fill(template: string, slots: Readonly<Record<string, Piece>>): Piece[] {
  return template.split(/( ?\{[^{}]+\})/u).flatMap((part): Piece[] => {
    const found = /^( ?)\{([^{}]+)\}$/u.exec(part);
    if (found === null) return part === '' ? [] : [part];
    const [, space = '', name = ''] = found;
    const value = slots[name] ?? part.slice(space.length);
    return [typeof value === 'string' ? space + value : [value[0], space + value[1]]];
  });
}

/** Names of the slots of a template, each once. */
export function slotNames(template: string): string[] {
  return [...new Set([...template.matchAll(/\{([^{}]+)\}/gu)].map((found) => found[1] ?? ''))];
}
