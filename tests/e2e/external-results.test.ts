import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { Workbench } from './workbench.ts';

/** Heads of a made-up model, as a notebook would save them: one writes the answer, one works against it. */
function tables(scale: number): string {
  const values = Array.from({ length: 6 }, (_, layer) =>
    Array.from({ length: 6 }, (_head, head) =>
      layer === 4 && head === 2
        ? 0.8 * scale
        : layer === 5 && head === 1
          ? -0.5
          : Math.sin(6 * layer + head) / 40,
    ),
  );
  const z = { axes: ['Layer', 'Head'], shape: [6, 6], values };
  return JSON.stringify({
    source: `a made-up notebook, scale ${scale}`,
    metric: 'logit_diff',
    direction: 'denoising',
    tables: { z, q: z },
  });
}

it('imports results of other programs, compares them, and takes them away and back', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'engram-external-'));
  const workbench = await Workbench.start();
  onTestFinished(async () => {
    await workbench.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const files = [1, 0.9, 0.7].map((scale, i) => {
    const file = join(folder, `notebook-${i + 1}.json`);
    writeFileSync(file, tables(scale));
    return file;
  });
  const broken = join(folder, 'broken.json');
  writeFileSync(broken, '{"tables": {"z": {"values": [[1, 2], [3]]}}}');
  const { page } = workbench;
  page.setDefaultTimeout(20_000);
  await page.getByRole('button', { name: 'New study' }).click();
  await page.getByRole('dialog').getByRole('textbox', { name: 'Name' }).fill('Beside others');
  await page.getByRole('dialog').getByRole('button', { name: 'Create study' }).click();
  await page.getByRole('dialog').waitFor({ state: 'hidden' });

  await workbench.open('Compare');
  await page.getByRole('button', { name: 'Import results' }).click();
  const dialog = page.getByRole('dialog', { name: 'External results' });
  const give = async (chosen: readonly string[]): Promise<void> => {
    const [chooser] = await Promise.all([
      page.waitForEvent('filechooser'),
      dialog.getByRole('button', { name: 'Import results' }).click(),
    ]);
    await chooser.setFiles([...chosen]);
  };
  await give([broken]);
  await page.getByText('row 1 has 1 values, row 0 has 2').first().waitFor();
  await give(files);
  await dialog.getByText('a made-up notebook, scale 0.7').waitFor();
  expect(await workbench.accessibilityFaults()).toEqual([]);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });

  await page.getByText('B minus A').first().waitFor();
  await page.getByText('external').first().waitFor();
  await page
    .getByRole('region', { name: 'Reading this' })
    .getByText(/is external \(a made-up notebook/)
    .first()
    .waitFor();
  await workbench.shots('compare-external');
  expect(await workbench.accessibilityFaults()).toEqual([]);
  await page.getByRole('radio', { name: 'Several' }).click();
  await page.getByText('3 results on one scale').waitFor();
  expect(await workbench.accessibilityFaults()).toEqual([]);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'CSV' }).click(),
  ]);
  expect(download.suggestedFilename()).toContain('X-01');

  await page.getByRole('button', { name: 'External', exact: true }).click();
  await dialog.getByRole('button', { name: 'Remove X-03' }).click();
  await dialog.getByText('notebook-3').first().waitFor({ state: 'hidden' });
  await page.keyboard.press('Escape');
  await page.getByText('2 results on one scale').waitFor();
  await page.getByRole('button', { name: /^Undo/ }).click();
  await page.getByText('3 results on one scale').waitFor();
  expect(workbench.complaints).toEqual([]);
});
