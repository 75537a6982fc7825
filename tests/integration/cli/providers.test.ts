import { describe, expect, it } from 'vitest';
import { listProviders } from '../../../src/main/runtime/providers.ts';
import { engram, errorLines, TINY } from './process.ts';

// DirectML exists on Windows only, CUDA on Linux only: at least one of them is missing everywhere.
const missing = listProviders().find(
  ({ name, available }) => !available && (name === 'dml' || name === 'cuda'),
);

describe('a provider that is not here', () => {
  it('is said on stderr, and the result names what computed', async () => {
    expect(missing).toBeDefined();
    const provider = missing?.name ?? '';
    const ran = await engram('logits', '--model', TINY, '--ids', '1,2,3', '--provider', provider, '--json');
    expect(ran.code).toBe(0);
    expect(JSON.parse(ran.out)).toMatchObject({ provider: 'cpu' });
    expect(errorLines(ran).join('\n')).toMatch(
      new RegExp(`The ${provider} provider could not be used: .* The CPU computes instead`),
    );
    const plain = await engram('logits', '--model', TINY, '--ids', '1,2,3', '--json');
    expect(errorLines(plain)).toEqual([]);
    expect(JSON.parse(plain.out)).toEqual(JSON.parse(ran.out));
  });
});
