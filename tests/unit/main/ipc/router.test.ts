import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { method } from '../../../../src/shared/contracts/define.ts';
import { createContractRouter } from '../../../../src/main/ipc/router.ts';
import { UserInputError } from '../../../../src/shared/errors/index.ts';

const contract = {
  sums: {
    add: method(z.object({ a: z.number(), b: z.number().default(1) }), z.object({ sum: z.number() })),
    refuse: method(z.object({}), z.object({})),
    lie: method(z.object({}), z.object({ n: z.number() })),
    crash: method(z.object({}), z.object({})),
  },
};

const router = createContractRouter(contract, {
  sums: {
    add: ({ a, b }) => ({ sum: a + b }),
    refuse: () => {
      throw new UserInputError('SUMS_NO', 'No sums today.', 'Come back tomorrow.');
    },
    // A handler that answers with a string where the contract promises a number.
    lie: () => ({ n: 'three' as unknown as number }),
    crash: () => {
      throw new TypeError('x is undefined');
    },
  },
});

const request = (name: string, input: unknown, service = 'sums') => ({ id: 7, service, method: name, input });

describe('router', () => {
  it('parses the input, defaults included, and answers with the id of the request', async () => {
    expect(await router.handle(request('add', { a: 2 }))).toEqual({ id: 7, ok: true, output: { sum: 3 } });
  });

  it.each([
    ['a wrong type', request('add', { a: '2' }), 'user', 'INPUT_INVALID', /sums\.add: a: /],
    ['an unknown method', request('subtract', {}), 'user', 'RPC_UNKNOWN_METHOD', /sums\.subtract/],
    ['an unknown service', request('add', {}, 'nothing'), 'user', 'RPC_UNKNOWN_METHOD', /nothing\.add/],
    ['a name of the prototype', request('constructor', {}), 'user', 'RPC_UNKNOWN_METHOD', /constructor/],
    ['a refusal', request('refuse', {}), 'user', 'SUMS_NO', /No sums today/],
    ['an answer outside the contract', request('lie', {}), 'invariant', 'BUG', /sums\.lie answered outside/],
    ['an unexpected throw', request('crash', {}), 'invariant', 'BUG', /x is undefined/],
  ])('turns %s into an error with kind, code and message', async (_what, message, kind, code, text) => {
    const answer = await router.handle(message);
    expect(answer).toMatchObject({ id: 7, ok: false, error: { kind, code } });
    expect(answer !== null && 'error' in answer && answer.error.message).toMatch(text);
  });

  it('never sends a stack over the wire', async () => {
    expect(JSON.stringify(await router.handle(request('crash', {})))).not.toContain('router.test');
  });

  it.each([null, 'text', 3, {}, { id: 'x', service: 'sums', method: 'add' }])(
    'ignores %j',
    async (message) => {
      expect(await router.handle(message)).toBeNull();
    },
  );
});
