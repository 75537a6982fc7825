import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createRecentStudies } from '../../src/main/services/recent.ts';
import { createStudy } from '../../src/main/store/index.ts';

let data: string;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'engram-reopen-'));
});
afterEach(async () => rm(data, { recursive: true }));

const entry = (folder: string): { folder: string; name: string; synthetic: boolean; openedAt: string } => ({
  folder,
  name: 'A study',
  synthetic: false,
  openedAt: new Date(0).toISOString(),
});

it('remembers the study that was open, until the user closes it or it is gone', async () => {
  const folder = join(data, 'study');
  createStudy(folder, 'A study').close();
  const recent = createRecentStudies(data);
  expect(recent.last()).toBeNull();
  recent.add(entry(folder));
  expect(createRecentStudies(data).last()).toBe(folder);
  recent.forgetLast();
  expect(createRecentStudies(data).last()).toBeNull();
  recent.add(entry(folder));
  await rm(folder, { recursive: true });
  expect(createRecentStudies(data).last()).toBeNull();
});
