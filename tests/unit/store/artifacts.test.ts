import { appendFileSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openStudy } from '../../../src/main/store/index.ts';
import { tempFolder, tempStudy } from '../../support/store.ts';

test('a folder is kept once, by its content, wherever it came from', async () => {
  const study = tempStudy();
  const source = tempFolder();
  mkdirSync(join(source, 'inner'));
  writeFileSync(join(source, 'config.json'), '{}');
  writeFileSync(join(source, 'inner', 'weights.bin'), new Uint8Array([1, 2, 3]));
  const hash = await study.artifacts.putFolder(source, 'model', (a) => a.hash);
  const path = study.artifacts.path(hash);
  expect(path).toBe(join(study.folder, 'artifacts', `sha256-${hash.slice(0, 2)}`, hash));
  expect([...readFileSync(join(path, 'inner', 'weights.bin'))]).toEqual([1, 2, 3]);
  expect(existsSync(join(source, 'config.json')), 'a foreign folder is copied, not moved').toBe(true);

  const staged = study.artifacts.stage();
  mkdirSync(join(staged, 'inner'));
  writeFileSync(join(staged, 'inner', 'weights.bin'), new Uint8Array([1, 2, 3]));
  writeFileSync(join(staged, 'config.json'), '{}');
  expect(await study.artifacts.putFolder(staged, 'again', (a) => a.hash)).toBe(hash);
  expect(existsSync(staged)).toBe(false);
  expect(study.artifacts.list()).toMatchObject([{ hash, kind: 'folder', name: 'model', bytes: 5 }]);
});

test('bytes are kept under their SHA-256', async () => {
  const study = tempStudy();
  const hash = study.artifacts.putBytes(new TextEncoder().encode('abc'), 'note.txt', (a) => a.hash);
  expect(hash).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  expect(readFileSync(study.artifacts.path(hash), 'utf8')).toBe('abc');
  expect(await study.artifacts.verify(hash)).toBe(true);
  appendFileSync(study.artifacts.path(hash), 'd');
  expect(await study.artifacts.verify(hash)).toBe(false);
});

test('nothing is recorded when the record fails', () => {
  const study = tempStudy();
  const put = () =>
    study.artifacts.putBytes(new Uint8Array([1]), 'x.bin', () => {
      throw new Error('refused');
    });
  expect(put).toThrow('refused');
  expect(study.artifacts.list()).toEqual([]);
});

test('a missing artifact is named, and leftovers of staging are removed on opening', () => {
  const study = tempStudy();
  expect(() => study.artifacts.path('ab'.repeat(32))).toThrow(
    expect.objectContaining({ code: 'ARTIFACT_MISSING' }),
  );
  writeFileSync(join(study.artifacts.stage(), 'half'), 'x');
  study.close();
  const again = openStudy(study.folder);
  expect(readdirSync(join(study.folder, 'artifacts'))).toEqual([]);
  again.close();
});
