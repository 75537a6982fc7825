import { describe, expect, it } from 'vitest';
import { ErrorStore } from '../../../src/renderer/state/errors.svelte.ts';
import { PaneStore } from '../../../src/renderer/state/panes.svelte.ts';
import { Query } from '../../../src/renderer/state/query.svelte.ts';
import { parseHash, toHash } from '../../../src/renderer/state/router.svelte.ts';
import { CancelledError, UserInputError } from '../../../src/shared/errors/index.ts';

describe('places in the hash', () => {
  it('go there and back, whatever the name', () => {
    expect(parseHash(toHash('models', 'run', 3))).toEqual({ page: 'models', rest: ['run', '3'] });
    expect(parseHash(toHash('help', 'a/b c'))).toEqual({ page: 'help', rest: ['a/b c'] });
    expect(parseHash('')).toEqual({ page: 'home', rest: [] });
  });
});

describe('a query', () => {
  it('keeps earlier data while newer ones are on their way, and drops an answer that was overtaken', async () => {
    const answers: ((value: string) => void)[] = [];
    const query = new Query((_: number) => new Promise<string>((resolve) => answers.push(resolve)));
    const first = query.fetch(1);
    const second = query.fetch(2);
    answers[1]?.('second');
    await second;
    answers[0]?.('first');
    await first;
    expect(query.data).toBe('second');
    const third = query.fetch(3);
    expect([query.data, query.loading]).toEqual(['second', true]);
    answers[2]?.('third');
    await third;
    expect([query.data, query.loading]).toEqual(['third', false]);
  });
  it('holds the failure until the next success', async () => {
    let fail = true;
    const query = new Query((n: number) =>
      fail ? Promise.reject(new UserInputError('BAD', 'Bad.', 'Do better.')) : Promise.resolve(n),
    );
    await query.fetch(1);
    expect(query.error).toMatchObject({ code: 'BAD' });
    fail = false;
    await query.fetch(1);
    expect([query.error, query.data]).toEqual([undefined, 1]);
  });
});

describe('failures', () => {
  it('are shown once each, stay until dismissed, and what the user stopped is not one', async () => {
    const errors = new ErrorStore();
    const fail = (): Promise<string> => Promise.reject(new UserInputError('X', 'This.', 'That.'));
    expect(await errors.run(fail)).toBeUndefined();
    await errors.run(fail);
    errors.report(new CancelledError('The import'));
    expect(errors.notices.map((n) => n.error.code)).toEqual(['X']);
    errors.dismiss(errors.notices[0]?.id ?? 0);
    expect(errors.notices).toEqual([]);
  });
});

describe('panes', () => {
  const storage = (initial: Record<string, string>): Storage => {
    const map = new Map(Object.entries(initial));
    return {
      get length() {
        return map.size;
      },
      clear: () => map.clear(),
      key: () => null,
      getItem: (key) => map.get(key) ?? null,
      setItem: (key, value) => {
        map.set(key, value);
      },
      removeItem: (key) => {
        map.delete(key);
      },
    };
  };
  it('remember their width', () => {
    const place = storage({});
    new PaneStore(place).set('curate.left', { width: 240, collapsed: true });
    expect(new PaneStore(place).get('curate.left', 214)).toEqual({ width: 240, collapsed: true });
    expect(new PaneStore(place).get('curate.right', 372)).toEqual({ width: 372, collapsed: false });
  });
  it('start as designed where what was saved cannot be read', () => {
    expect(new PaneStore(storage({ 'engram.panes': '{"a":' })).get('a', 10).width).toBe(10);
    expect(new PaneStore(storage({ 'engram.panes': '{"a":5}' })).get('a', 10).width).toBe(10);
  });
});
