import { expect, it, onTestFinished } from 'vitest';
import { Workbench } from './workbench.ts';

/** More epochs than any machine gets through before the test stops the run. */
const EPOCHS = '10000';
/** Whole batches of 16 do not fit into it, those of 8 do: the estimate depends on the model's sizes alone. */
const LIMIT_MB = '400';

/** The number at the start of a text: `1,128 of 3,600`. */
const leading = (text: string): number => Number.parseFloat(text.replaceAll(',', ''));

it('trains by clicking: presets, an offer where memory is short, live values, pause, resume, stop and keep', async () => {
  const workbench = await Workbench.start();
  onTestFinished(() => workbench.stop());
  const { page } = workbench;
  page.setDefaultTimeout(60_000);
  await page.getByRole('button', { name: 'Open the sample study' }).click();
  await page.getByText('391 read, 385 added, 4 duplicates, 2 rejected').first().waitFor();
  await workbench.open('Curate');
  await page.getByRole('button', { name: 'Freeze version 1' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Freeze' }).click();
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  await workbench.open('Settings');
  await page.getByRole('textbox', { name: 'Memory limit, MB' }).fill(LIMIT_MB);
  await page.getByRole('textbox', { name: 'Memory limit, MB' }).blur();
  await workbench.open('Models');
  await page.getByRole('button', { name: 'Create small model' }).first().click();
  await page.getByRole('dialog').getByRole('radio', { name: 'Tiny' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Create model' }).click();
  await page.getByRole('button', { name: 'Fine-tune' }).first().click();

  // The preset for a desktop stands first and is chosen; what the study itself would take is said beside it.
  const estimate = page.getByRole('region', { name: 'Estimate' });
  const fact = (name: string): Promise<string> =>
    estimate.getByRole('definition').nth(FACTS.indexOf(name)).innerText();
  const chosen = (name: string): Promise<boolean> =>
    page.getByRole('radio', { name, exact: true }).isChecked();
  await estimate.getByText('This fits on the device').waitFor();
  const presets = page.getByRole('radiogroup', { name: 'Settings' }).getByRole('radio');
  expect(await presets.first().innerText()).toBe('Desktop, 30 min');
  expect(await chosen('Desktop, 30 min')).toBe(true);
  await page.getByText('its losses are not comparable with theirs').waitFor();
  await estimate.getByText('122 M').waitFor();

  // Configuration I: other settings, another estimate, and a warm-up that this run would never finish.
  expect(await fact('Steps')).toBe('468');
  await page.getByRole('radio', { name: 'Config I', exact: true }).click();
  await estimate.getByText('The warm-up of 500 steps is longer').waitFor();
  await expect.poll(() => fact('Steps')).toBe('300');
  await estimate.getByRole('button', { name: 'Warm up over 30 steps' }).click();
  await estimate.getByText('The warm-up of 500 steps is longer').waitFor({ state: 'hidden' });
  expect(await chosen('Own settings')).toBe(true);
  expect(await page.getByRole('textbox', { name: 'Warm-up steps' }).inputValue()).toBe('30');

  // Whole batches of 16 in one graph are refused; smaller ones with more accumulation are offered and taken.
  await page.getByRole('radio', { name: 'Desktop, 30 min', exact: true }).click();
  await page.getByRole('textbox', { name: 'Epochs' }).fill(EPOCHS);
  await page.getByRole('textbox', { name: 'Patience' }).fill('0');
  await page.getByRole('textbox', { name: 'Batch', exact: true }).fill('16');
  await expect.poll(() => fact('Steps')).toBe('200,000');
  await page.getByRole('combobox', { name: 'Batches in memory' }).selectOption('Whole, in one graph');
  const start = page.getByRole('button', { name: 'Start training' });
  await estimate.getByText('This does not fit in memory').waitFor();
  expect(await start.isEnabled()).toBe(false);
  await estimate.getByRole('button', { name: /^Layer by layer/ }).waitFor();
  await workbench.shot('train-form');
  expect(await workbench.accessibilityFaults()).toEqual([]);
  await estimate.getByRole('button', { name: /^Batches of 8, 2 a step/ }).click();
  await estimate.getByText('This fits on the device').waitFor();
  expect(await page.getByRole('textbox', { name: 'Accumulation' }).inputValue()).toBe('2');
  await start.click();

  // Live values: steps go on, bytes are counted, the first epoch gives a validation loss and a sample.
  const stat = (name: string): Promise<string> =>
    page.getByRole('main').locator('dl > div', { hasText: name }).first().locator('dd').innerText();
  const steps = async (): Promise<number> => leading(await stat('Step'));
  await page.getByText(/^Sample at epoch/).waitFor();
  for (const name of ['Best validation', 'Elapsed', 'Memory', 'Moved a step'])
    await expect.poll(() => stat(name)).toMatch(/^\d/);
  await expect.poll(() => stat('Left')).toMatch(/\d/);
  for (const name of ['Gradient norm', 'Learning rate', 'Tokens/s'])
    await page.getByRole('img', { name: new RegExp(`^${name}.*: \\d`) }).waitFor();
  await page.getByRole('img', { name: /Training loss now \d.*validation loss \d/ }).waitFor();
  expect(await workbench.accessibilityFaults()).toEqual([]);

  const header = page.getByRole('main').locator('header').first();
  await header.getByRole('button', { name: 'Pause' }).click();
  await header.getByRole('button', { name: 'Resume' }).waitFor();
  await header.getByText('Paused').waitFor();
  const paused = await steps();
  await header.getByRole('button', { name: 'Resume' }).click();
  await header.getByText('Training').waitFor();
  await expect.poll(steps, { timeout: 60_000 }).toBeGreaterThan(paused);

  await header.getByRole('button', { name: 'Stop and keep best' }).click();
  await header.getByText('Complete').waitFor();
  const side = page.getByRole('region', { name: 'Base and fine-tuned' });
  await side.getByRole('row', { name: /perplexity.* [\d.,]+ [\d.,]+$/i }).waitFor();
  await side.getByRole('row', { name: /Sample pairs right \d+ of 42 \d+ of 42/ }).waitFor();
  expect(await side.getByRole('figure').count()).toBe(2);
  await header.getByRole('button', { name: 'Model card' }).click();
  await page.getByRole('heading', { name: 'Model card' }).waitFor();
  await side.getByRole('row', { name: /perplexity.* [\d.,]+ [\d.,]+$/i }).waitFor();
  expect(await workbench.accessibilityFaults()).toEqual([]);
  expect(workbench.complaints).toEqual([]);
});

/** Facts of the estimate in their order. */
const FACTS = ['Training', 'Validation', 'Tokens', 'All tokens', 'Steps', 'Time', 'Memory', 'Computed'];
