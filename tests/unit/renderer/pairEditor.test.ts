import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createClient } from '../../../src/renderer/client/client.ts';
import type { Transport } from '../../../src/renderer/client/transport.ts';
import { PairEditor } from '../../../src/renderer/features/pairs/pairs.svelte.ts';
import { ErrorStore } from '../../../src/renderer/state/errors.svelte.ts';
import type { PairLine } from '../../../src/shared/domain/index.ts';
import { ModelId, Pair, type PairCheck } from '../../../src/shared/domain/index.ts';
import { EngineError } from '../../../src/shared/errors/index.ts';

const pair = (id: number, clean: string, editedAt = '2026-11-21T00:00:00.000Z'): Pair =>
  Pair.parse({
    id,
    setId: 1,
    ordinal: id,
    editedAt,
    line: { id: `P-${id}`, clean, corrupted: 'corrupted', answer: ['a'], wrong: ['b'] },
  });
const checkOf = (text: string): PairCheck => ({
  tokens: {
    clean: [{ id: 1, text }],
    corrupted: [{ id: 2, text: 'x' }],
    answer: [],
    wrong: [],
    differing: [0],
    read: 0,
  },
  flags: [],
  run: null,
});

/** A transport that records what is asked and answers when the test says so. */
class Wire implements Transport {
  readonly asked: {
    method: string;
    line: PairLine;
    answer: (value: unknown) => void;
    fail: (e: Error) => void;
  }[] = [];
  request(_service: string, method: string, input: unknown): Promise<unknown> {
    const { line } = input as { line: PairLine };
    return new Promise((answer, fail) => this.asked.push({ method, line, answer, fail }));
  }
  of(method: string) {
    return this.asked.filter((call) => call.method === method);
  }
  onEvent = () => () => undefined;
  onState = () => () => undefined;
  close = () => undefined;
}

describe('the pair editor', () => {
  let wire: Wire;
  let editor: PairEditor;
  beforeEach(() => {
    vi.useFakeTimers();
    wire = new Wire();
    editor = new PairEditor(createClient(wire), new ErrorStore());
    editor.useModel(ModelId.parse(7));
  });
  afterEach(() => vi.useRealTimers());
  const settle = (ms: number) => vi.advanceTimersByTimeAsync(ms);

  it('asks the model a moment after the last change, and keeps the old answer meanwhile', async () => {
    editor.open(pair(1, 'one'));
    await settle(0);
    wire.of('check')[0]?.answer(checkOf('one'));
    await settle(0);
    expect([editor.check?.tokens.clean[0]?.text, editor.checking]).toEqual(['one', false]);
    editor.edit({ clean: 'two' });
    editor.edit({ clean: 'three' });
    expect([editor.check?.tokens.clean[0]?.text, editor.checking]).toEqual(['one', true]);
    await settle(200);
    expect(wire.of('check').map((c) => c.line.clean)).toEqual(['one', 'three']);
  });

  it('drops an answer that was overtaken', async () => {
    editor.open(pair(1, 'one'));
    await settle(0);
    editor.edit({ clean: 'two' });
    await settle(200);
    wire.of('check')[1]?.answer(checkOf('two'));
    await settle(0);
    wire.of('check')[0]?.answer(checkOf('one'));
    await settle(0);
    expect(editor.check?.tokens.clean[0]?.text).toBe('two');
  });

  it('keeps the last answer beside a failure', async () => {
    editor.open(pair(1, 'one'));
    await settle(0);
    wire.of('check')[0]?.answer(checkOf('one'));
    await settle(0);
    editor.recheck();
    await settle(0);
    wire.of('check')[1]?.fail(new EngineError('OUT_OF_MEMORY', 'No room.', 'Close something.'));
    await settle(0);
    expect(editor.checkError?.code).toBe('OUT_OF_MEMORY');
    expect([editor.check?.tokens.clean[0]?.text, editor.checking]).toEqual(['one', false]);
  });

  it('saves once, a moment after the last change', async () => {
    editor.open(pair(1, 'one'));
    editor.edit({ clean: 'two' });
    await settle(400);
    editor.edit({ clean: 'three' });
    await settle(400);
    expect(wire.of('save')).toHaveLength(0);
    await settle(400);
    expect(wire.of('save').map((c) => c.line.clean)).toEqual(['three']);
  });

  it('does not let a stored copy overwrite what is being typed', async () => {
    editor.open(pair(1, 'one'));
    editor.edit({ clean: 'two' });
    editor.open(pair(1, 'stored elsewhere', '2026-11-21T00:00:01.000Z'));
    expect(editor.line?.clean).toBe('two');
    await settle(800);
    expect(wire.of('save')[0]?.line.clean).toBe('two');
  });

  it('writes unsaved changes before it opens another pair', async () => {
    editor.open(pair(1, 'one'));
    editor.edit({ clean: 'two' });
    editor.open(pair(2, 'other'));
    expect(wire.of('save').map((c) => c.line.clean)).toEqual(['two']);
    expect(editor.line?.clean).toBe('other');
    await settle(2000);
    expect(wire.of('save')).toHaveLength(1);
  });

  it('gives what is typed right after “new pair” to the new pair, however late it is stored', async () => {
    editor.open(pair(1, 'one'));
    const made: { line: PairLine; answer: (pair: Pair) => void }[] = [];
    editor.begin(pair(2, 'start').line, (line) => new Promise((answer) => made.push({ line, answer })));
    const place = editor.place;
    editor.edit({ clean: 'typed at once' });
    expect([editor.pair, editor.line?.clean]).toEqual([null, 'typed at once']);
    await settle(3000);
    expect(wire.of('save')).toEqual([]);
    made[0]?.answer(pair(2, 'start'));
    await settle(0);
    expect(wire.of('save').map((c) => [c.line.id, c.line.clean])).toEqual([['P-2', 'typed at once']]);
    wire.of('save')[0]?.answer(pair(2, 'typed at once', '2026-11-21T00:00:01.000Z'));
    await settle(0);
    expect([editor.pair?.id, editor.line?.clean, editor.place, editor.saving]).toEqual([
      2,
      'typed at once',
      place,
      false,
    ]);
    expect(made).toHaveLength(1);
  });

  it('writes what was typed into a new pair that was left before it was stored', async () => {
    const made: ((pair: Pair) => void)[] = [];
    editor.begin(pair(2, 'start').line, () => new Promise((answer) => made.push(answer)));
    editor.edit({ clean: 'typed' });
    editor.open(pair(1, 'one'));
    expect(editor.line?.clean).toBe('one');
    made[0]?.(pair(2, 'start'));
    await settle(0);
    expect(wire.of('save').map((c) => c.line.clean)).toEqual(['typed']);
    expect([editor.pair?.id, editor.line?.clean]).toEqual([1, 'one']);
  });

  it('tries again to make a new pair that could not be stored', async () => {
    const reported = vi.fn();
    vi.stubGlobal('reportError', reported);
    onTestFinished(() => void vi.unstubAllGlobals());
    let failing = true;
    editor.begin(pair(2, 'start').line, (line) =>
      failing
        ? Promise.reject(new EngineError('OUT_OF_MEMORY', 'No room.', 'Close something.'))
        : Promise.resolve({ ...pair(2, 'stored'), line }),
    );
    await settle(0);
    expect([editor.pair, editor.line?.clean]).toEqual([null, 'start']);
    failing = false;
    editor.edit({ clean: 'again' });
    await settle(800);
    expect([editor.pair?.line.clean, editor.line?.clean]).toEqual(['again', 'again']);
  });

  it('writes changes one after the other, the last one last', async () => {
    editor.open(pair(1, 'one'));
    editor.edit({ clean: 'two' });
    await settle(800);
    editor.edit({ clean: 'three' });
    await settle(800);
    expect(wire.of('save').map((c) => c.line.clean)).toEqual(['two']);
    wire.of('save')[0]?.answer(pair(1, 'two', '2026-11-21T00:00:01.000Z'));
    await settle(0);
    expect(wire.of('save').map((c) => c.line.clean)).toEqual(['two', 'three']);
  });
});
