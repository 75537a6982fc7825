import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { eutilsServer, heldArticles } from '../../support/eutils.ts';
import { tempFolder } from '../../support/store.ts';
import { engram } from './process.ts';

const setEnv = (env: Record<string, string>) => {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
};
afterEach(() => vi.unstubAllEnvs());

describe('engram import --query', () => {
  test('counts, says how PubMed understood the search, and imports what it finds', async () => {
    const server = await eutilsServer(heldArticles(25));
    const folder = tempFolder();
    setEnv({
      ENGRAM_DATA: join(folder, 'data'),
      ENGRAM_PUBMED_URL: server.url,
      ENGRAM_PUBMED_EMAIL: 'someone@example.org',
      ENGRAM_PUBMED_KEY: 'VERYSECRETKEY99',
    });
    const study = join(folder, 'study');
    const counted = await engram('import', study, '--query', 'epilepsy', '--count-only', '--json');
    expect(counted.code).toBe(0);
    expect(JSON.parse(counted.out)).toMatchObject({ count: 25, translation: '"epilepsy"[All Fields]' });
    expect(server.asked).toHaveLength(1);

    const done = await engram('import', study, '--query', 'epilepsy');
    expect(done.code).toBe(0);
    expect(done.err).toContain('25 articles match, understood as: "epilepsy"[All Fields]');
    expect(done.out).toContain('25 read, 25 added');
    expect(server.asked.every((a) => a.fields.get('api_key') === 'VERYSECRETKEY99')).toBe(true);
    // The key is in no address, no output and no file.
    expect(server.asked.some((a) => a.url.includes('VERYSECRETKEY99'))).toBe(false);
    expect(done.out + done.err).not.toContain('VERYSECRETKEY99');
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((f) => f.isFile());
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) {
      expect(readFileSync(join(file.parentPath, file.name)).includes('VERYSECRETKEY99')).toBe(false);
    }
  }, 60_000);

  test('without an e-mail address nothing is sent', async () => {
    const server = await eutilsServer(heldArticles(5));
    const folder = tempFolder();
    setEnv({ ENGRAM_DATA: join(folder, 'data'), ENGRAM_PUBMED_URL: server.url, ENGRAM_PUBMED_EMAIL: '' });
    const { code, err } = await engram('import', join(folder, 's'), '--query', 'epilepsy');
    expect(code).toBe(2);
    expect(err).toContain('PUBMED_EMAIL');
    expect(server.asked).toHaveLength(0);
    expect(existsSync(join(folder, 's', 'study.sqlite'))).toBe(true);
  }, 60_000);
});
