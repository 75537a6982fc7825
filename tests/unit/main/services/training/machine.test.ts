import { expect, it } from 'vitest';
import { createMachine } from '../../../../../src/main/services/training/machine.ts';
import { Settings } from '../../../../../src/shared/domain/index.ts';
import { noCompute } from '../../../../support/compute.ts';

it('measures once for a choice of threads and provider, and again after a failure', async () => {
  let [measured, broken] = [0, true];
  const compute = {
    ...noCompute(),
    selfCheck: () => {
      measured++;
      if (broken) return Promise.reject(new Error('no compute process'));
      return Promise.resolve({ ok: true, maxError: 0, gflops: 235, milliseconds: 40, message: '' });
    },
  };
  let settings = Settings.parse({ memoryLimitMb: 2048 });
  const machine = createMachine({ compute }, { get: () => settings });
  await expect(machine()).rejects.toThrow('no compute process');
  broken = false;
  expect(await machine()).toEqual({ flops: 235e9, memoryBytes: 2 ** 31, provider: 'cpu' });
  expect(await machine()).toEqual({ flops: 235e9, memoryBytes: 2 ** 31, provider: 'cpu' });
  expect(measured).toBe(2);
  settings = { ...settings, threads: 1 };
  await machine();
  expect(measured).toBe(3);
});
