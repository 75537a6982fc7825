import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { compose } from '../../../src/main/hosts/compose.ts';
import { appPaths } from '../../../src/main/hosts/paths.ts';
import { COMMIT, hubServer } from '../../support/hub.ts';
import { tempFolder } from '../../support/store.ts';

const MODEL = fileURLToPath(new URL('../../reference/tiny-gpt2', import.meta.url));

it('goes over the contract as the page goes: list, look, start, imported', async () => {
  const hub = await hubServer(
    'o/tiny',
    Object.fromEntries(
      readdirSync(MODEL).map((name) => [
        name,
        { content: readFileSync(join(MODEL, name)), lfs: name.endsWith('.safetensors') },
      ]),
    ),
  );
  const base = tempFolder();
  const data = join(base, 'data');
  const core = compose({ paths: appPaths(), folders: { data, studies: base }, host: 'browser' });
  onTestFinished(() => core.close());
  const { client, context } = core;
  await context.session.create(join(base, 'study'), 'Study');
  await client.app.setSettings({ ...(await client.app.getSettings({})), hub: `${hub.url}/` });
  expect(await client.models.hub({})).toEqual({ url: hub.url });
  expect(hub.requests).toEqual([]);

  const listing = await client.models.hubFiles({ name: 'o/tiny' });
  expect(listing.folder).toBe(join(data, 'models', `o--tiny@${COMMIT.slice(0, 8)}`));
  expect(listing.missingBytes).toBe(listing.totalBytes);
  expect(listing.files.every(({ url }) => url.startsWith(`${hub.url}/o/tiny/resolve/${COMMIT}/`))).toBe(true);
  expect(existsSync(listing.folder)).toBe(false);
  expect(hub.requests).toHaveLength(1);

  const { jobId } = await client.models.get({ manifest: listing.manifest, name: 'mine' });
  await context.session.require().queue.wait(jobId);
  expect((await client.models.list({})).map(({ name }) => name)).toEqual(['mine']);
  expect((await client.models.hubFiles({ name: 'o/tiny' })).missingBytes).toBe(0);

  // What is started is what was listed at the hub in use.
  const elsewhere = { ...listing.manifest, hub: 'http://127.0.0.1:1' };
  await expect(client.models.get({ manifest: elsewhere, name: 'x' })).rejects.toMatchObject({
    code: 'HUB_CHANGED',
  });
});
