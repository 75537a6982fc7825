import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { hubServer } from '../support/hub.ts';
import { Workbench } from './workbench.ts';

const MODEL = join(import.meta.dirname, '../reference/tiny-gpt2');

it('gets a model by clicking: the hub’s address, the list, the download, the model in the registry', async () => {
  const hub = await hubServer(
    'openai-community/gpt2',
    Object.fromEntries(
      readdirSync(MODEL).map((name) => [
        name,
        { content: readFileSync(join(MODEL, name)), lfs: name.endsWith('.safetensors') },
      ]),
    ),
  );
  const workbench = await Workbench.start();
  onTestFinished(() => workbench.stop());
  const { page } = workbench;
  page.setDefaultTimeout(30_000);
  await page.getByRole('button', { name: 'New study' }).click();
  await page.getByRole('dialog').getByRole('textbox', { name: 'Name' }).fill('Hub');
  await page.getByRole('dialog').getByRole('button', { name: 'Create study' }).click();
  await page.getByRole('dialog').waitFor({ state: 'hidden' });

  await workbench.open('Settings');
  const address = page.getByRole('textbox', { name: 'Where models come from' });
  await address.fill('nonsense');
  await page.getByText('An address that begins with https:// or http://.').waitFor();
  await address.fill(hub.url);
  await address.blur();

  await workbench.open('Models');
  await page.getByRole('button', { name: 'Get a model' }).first().click();
  await page.getByText(`Asks ${new URL(hub.url).host} for the names`).waitFor();
  await page.getByRole('button', { name: 'gpt2', exact: true }).click();
  expect(hub.requests).toEqual([]);
  await page.getByRole('button', { name: 'Show the files' }).click();
  await page.getByRole('link', { name: 'model.safetensors' }).waitFor();
  expect(hub.requests).toHaveLength(1);
  expect(await workbench.accessibilityFaults()).toEqual([]);
  await workbench.shots('get-model');

  await page.getByRole('textbox', { name: 'Name in the study' }).fill('fetched');
  await page.getByRole('button', { name: 'Download and import' }).click();
  await page.getByRole('link', { name: /^fetched/ }).waitFor();
  expect(workbench.complaints).toEqual([]);
});
