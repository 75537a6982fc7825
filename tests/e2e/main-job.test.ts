import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Workbench } from './workbench.ts';

/** Training on two busy cores can take minutes; nothing else should. */
const TRAINING_MS = 600_000;

/**
 * The main job by clicking, in the order in which a person does it, on the bundled sample: one study goes
 * through all pages. Screenshots of each page at three sizes, light and dark, land in test-results.
 */
describe('the main job, clicked through', () => {
  let workbench: Workbench;

  beforeAll(async () => {
    workbench = await Workbench.start();
    workbench.page.setDefaultTimeout(30_000);
  });
  afterAll(async () => {
    await workbench.stop();
  });

  it('opens the sample study and imports its abstracts', async () => {
    const { page } = workbench;
    await workbench.shots('home');
    await page.getByRole('button', { name: 'Open the sample study' }).click();
    await page.getByRole('heading', { level: 1, name: 'Library' }).waitFor();
    await page.getByText('391 read, 385 added, 4 duplicates, 2 rejected').first().waitFor();
    await workbench.shots('library');
  });

  it('curates: a record is excluded with a reason, undone, and excluded again', async () => {
    const { page } = workbench;
    await workbench.open('Curate');
    const undecided = (): Promise<string | null> =>
      page
        .getByRole('navigation')
        .getByRole('link', { name: /^Curate/ })
        .textContent();
    await expect.poll(undecided).toContain('384');
    await page
      .getByRole('searchbox')
      .or(page.getByRole('textbox', { name: /search/i }))
      .first()
      .fill('interictal-epileptiform OR seizure*');
    await page
      .getByText(/\d+ of 385/)
      .first()
      .waitFor();
    await page
      .getByRole('searchbox')
      .or(page.getByRole('textbox', { name: /search/i }))
      .first()
      .fill('');
    await page
      .getByRole('button', { name: /Exclude/ })
      .first()
      .click();
    await page.keyboard.press('1');
    await expect.poll(undecided).toContain('383');
    await page.getByRole('button', { name: /^Undo/ }).click();
    await expect.poll(undecided).toContain('384');
    await page.getByRole('button', { name: /^Redo/ }).click();
    await expect.poll(undecided).toContain('383');
    await workbench.shots('curate');
  });

  it('freezes a dataset version with the seeded split', async () => {
    const { page } = workbench;
    await page.getByRole('button', { name: 'Freeze version 1' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('306 train, 77 validation').waitFor();
    await workbench.shot('freeze');
    await dialog.getByRole('button', { name: 'Freeze' }).click();
    await dialog.waitFor({ state: 'hidden' });
    await page.getByRole('button', { name: 'Freeze version 2' }).waitFor();
  });

  it('creates a small model and fine-tunes it, through a kill of the host', async () => {
    const { page } = workbench;
    await workbench.open('Models');
    await page.getByRole('button', { name: 'Create small model' }).first().click();
    await page.getByRole('dialog').getByRole('button', { name: 'Create' }).click();
    await page.getByRole('button', { name: 'Fine-tune' }).first().click();
    await page.getByText('This fits on the device').waitFor();
    await workbench.shot('fine-tune');
    await page.getByRole('button', { name: 'Start training' }).click();
    await page.getByText(/Sample at epoch \d/).waitFor({ timeout: TRAINING_MS });
    await workbench.shots('training');

    await workbench.killAndRestart();
    // The study that was open is open again, and the run goes on from its last checkpoint.
    await workbench.open('Models');
    await page
      .getByRole('link', { name: /small-gpt2-tuned/ })
      .first()
      .click();
    await page.getByText('Complete').first().waitFor({ timeout: TRAINING_MS });

    const evaluation = page
      .getByRole('row', { name: /right/ })
      .or(page.getByText(/\d+ of 42/))
      .last();
    await evaluation.waitFor();
    const [right] = [...(await page.getByRole('main').innerText()).matchAll(/(\d+) of 42/g)]
      .map((m) => Number(m[1]))
      .slice(-1);
    // At chance before, at least 70 % after.
    expect((right ?? 0) / 42).toBeGreaterThanOrEqual(0.7);
    await workbench.shots('trained');
  });

  it('shows a pair with its tokens, answers and live check', async () => {
    const { page } = workbench;
    await workbench.open('Pairs');
    await page.getByText(/42 pairs, \d+ valid/).waitFor();
    await page.getByText('Aligned one to one').waitFor();
    await page
      .getByText(/\d+ ms/)
      .first()
      .waitFor();
    await workbench.shots('pairs');
  });

  it('sweeps the base and the fine-tuned model', async () => {
    const { page } = workbench;
    await workbench.open('Sweeps');
    for (const model of ['small-gpt2', 'small-gpt2-tuned']) {
      const fresh = page.getByRole('button', { name: 'New sweep' });
      const sentence = page.getByRole('button', { name: /^Model: / });
      await fresh.or(sentence).first().waitFor();
      if (await fresh.isVisible()) await fresh.click();
      await chooseModel(workbench, model);
      await page.getByRole('button', { name: /^Run / }).click();
      // The new sweep's page: the one before it is complete too.
      await page.waitForURL(/#\/sweeps\/\d+$/);
      await page.getByText('Complete', { exact: true }).first().waitFor({ timeout: 120_000 });
    }
    await workbench.shots('sweeps');
    const grid = page.getByRole('grid').first();
    await grid.focus();
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    await page.getByText('95 % interval').first().waitFor();
    await workbench.shots('sweeps-pinned');
  });

  it('compares the two sweeps on one scale', async () => {
    const { page } = workbench;
    await workbench.open('Compare');
    await page.getByText('B minus A').first().waitFor();
    await page.getByText('Settings that differ').waitFor();
    await workbench.shots('compare');
  });

  it('writes and exports the report', async () => {
    const { page } = workbench;
    await workbench.open('Report');
    const button = page.getByRole('button', { name: 'Export report' });
    await expect.poll(() => button.isEnabled(), { timeout: 60_000 }).toBe(true);
    await page.frameLocator('iframe').getByText('synthetic').first().waitFor();
    await workbench.shots('report');
    const [download] = await Promise.all([page.waitForEvent('download'), button.click()]);
    const html = await readFile(await download.path(), 'utf8');
    expect(html).toContain('<svg');
    expect(html).not.toMatch(/<script|src="http|href="http/);
  });

  it('shows the settings page', async () => {
    await workbench.open('Settings');
    await workbench.shots('settings');
  });

  it.each(['Home', 'Library', 'Curate', 'Models', 'Pairs', 'Sweeps', 'Compare', 'Report', 'Settings'])(
    'has no serious accessibility fault on %s',
    async (name) => {
      await workbench.open(name);
      await workbench.page.waitForTimeout(500);
      expect(await workbench.accessibilityFaults()).toEqual([]);
    },
  );

  it('raised no error in the browser', () => {
    // The connection that a killed host breaks is reported by the browser itself.
    const unexpected = workbench.complaints.filter((c) => !/WebSocket|ERR_CONNECTION_REFUSED/.test(c));
    expect(unexpected).toEqual([]);
  });
});

/** Chooses in the sweep's sentence; the field is named after what it holds. */
async function chooseModel(workbench: Workbench, name: string): Promise<void> {
  const { page } = workbench;
  await page.getByRole('button', { name: /^Model: / }).click();
  const options = page.getByRole('menu', { name: 'Model' }).getByRole('menuitemradio');
  await options.filter({ has: page.getByText(name, { exact: true }) }).click();
}
