import { expect, test } from 'vitest';
import type { JobProgress } from '../../../src/shared/domain/index.ts';
import { createProgressMeter } from '../../../src/main/jobs/progress.ts';

const START: JobProgress = { done: 0, total: null, unit: '', rate: null, secondsLeft: null, message: '' };

function meter() {
  const reports: JobProgress[] = [];
  const time = { now: 0 };
  return {
    reports,
    time,
    meter: createProgressMeter(
      START,
      (p) => reports.push(p),
      () => time.now,
    ),
  };
}

test('reports at most ten times a second, and the last one when flushed', () => {
  const { reports, time, meter: m } = meter();
  for (let i = 1; i <= 1000; i++) {
    time.now = i;
    m.update(i, 1000, 'steps', `step ${i}`);
  }
  expect(reports).toHaveLength(10);
  m.flush();
  expect(reports.at(-1)).toMatchObject({ done: 1000, message: 'step 1000' });
  m.flush();
  expect(reports).toHaveLength(11);
});

test('gives the rate of the last seconds and the time left', () => {
  const { time, meter: m } = meter();
  for (let s = 0; s <= 20; s++) {
    time.now = s * 1000;
    // 10 a second, then 2 a second.
    m.update(s <= 10 ? s * 10 : 100 + (s - 10) * 2, 200, 'records', '');
  }
  expect(m.current().rate).toBeCloseTo(2, 10);
  expect(m.current().secondsLeft).toBeCloseTo(40, 10);
});

test('knows no rate at first, and none left over from another unit', () => {
  const { time, meter: m } = meter();
  m.update(5, 10, 'steps', '');
  expect(m.current()).toMatchObject({ rate: null, secondsLeft: null });
  time.now = 1000;
  m.update(6, null, 'steps', '');
  expect(m.current()).toMatchObject({ rate: 1, secondsLeft: null });
  time.now = 2000;
  m.update(1, 3, 'files', '');
  expect(m.current().rate).toBeNull();
});
