import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { Workbench } from './workbench.ts';

/** A table under headings that no one would guess, with a copy in other words and rows without an abstract. */
function table(): string {
  const rows = Array.from({ length: 40 }, (_, i) => [
    `Spikes in made-up sleep, part ${i}`,
    `Case ${i}. ${'EEG showed spikes. '.repeat((i % 4) + 1)}No seizure was seen.`,
    String(1990 + (i % 30)),
    i % 2 === 0 ? 'Made-up Letters' : 'Synthetic Neurology',
    i % 3 === 0 ? 'sleep; spikes' : 'memory',
    `10.1234/made-up.${i === 39 ? 38 : i}`,
  ]);
  rows.push(['Nothing to read', '', '2020', 'Made-up Letters', '', ''], ['Nor here', '', '2021', '', '', '']);
  const line = (cells: readonly string[]) => cells.map((cell) => `"${cell}"`).join(';');
  return [['Was', 'Worum es geht', 'Wann', 'Wo', 'Wovon', 'Kennung'], ...rows].map(line).join('\r\n');
}

it('a table is mapped and imported, its rejects fetched; then records are decided on, noted, undone, exported', async () => {
  const workbench = await Workbench.start();
  onTestFinished(() => workbench.stop());
  const { page } = workbench;
  page.setDefaultTimeout(30_000);
  const press = (...keys: string[]) =>
    keys.reduce((last, key) => last.then(() => page.keyboard.press(key)), Promise.resolve());
  const saved = async (click: () => Promise<void>): Promise<{ name: string; text: string }> => {
    const [download] = await Promise.all([page.waitForEvent('download'), click()]);
    const path = join(workbench.data, download.suggestedFilename());
    await download.saveAs(path);
    return { name: download.suggestedFilename(), text: await readFile(path, 'utf8') };
  };
  const flow = (text: string) => page.getByRole('listitem').filter({ hasText: text }).waitFor();
  await page.getByRole('button', { name: 'New study' }).first().click();
  await page.getByRole('dialog').getByRole('textbox').first().fill('Mapped');
  await page
    .getByRole('dialog')
    .getByRole('button', { name: /Create/ })
    .click();
  await workbench.open('Library');

  const choose = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Choose files' }).first().click();
  await (await choose).setFiles({ name: 'fremd.csv', mimeType: 'text/csv', buffer: Buffer.from(table()) });
  const dialog = page.getByRole('dialog');
  await dialog.getByText('No column is known as Title or Abstract').waitFor();
  expect(await dialog.getByRole('button', { name: 'Import', exact: true }).isDisabled()).toBe(true);
  const fields = {
    Was: 'Title',
    'Worum es geht': 'Abstract',
    Wann: 'Year',
    Wo: 'Journal',
    Wovon: 'Keywords',
  };
  for (const [column, field] of Object.entries({ ...fields, Kennung: 'DOI' })) {
    await dialog.getByLabel(`What ${column} holds`).selectOption({ label: field });
  }
  await workbench.themes('import-mapping');
  expect(await workbench.accessibilityFaults()).toEqual([]);
  await dialog.getByRole('button', { name: 'Import', exact: true }).click();
  await page.getByRole('button', { name: 'Download rejects' }).waitFor();
  const rejects = await saved(() => page.getByRole('button', { name: 'Download rejects' }).click());
  expect(rejects.name).toBe('fremd.csv.rejected.csv');
  expect(rejects.text.trim().split('\n')).toHaveLength(3);
  expect(rejects.text).toMatch(/abstract/i);
  await workbench.themes('import-rejects');

  // One key a decision, a reason by its number or typed, a note; the list moves on.
  await workbench.open('Curate');
  await page.getByText('39 of 39').waitFor();
  await page.getByRole('grid', { name: 'Records' }).focus();
  await press('i');
  await flow('1 included');
  await press('e');
  await page.getByText('Why exclude?').waitFor();
  await workbench.themes('curate-reasons');
  await press('2');
  await flow('1 excluded');
  await press('e', '6');
  await page.getByPlaceholder('Reason').fill('Made up');
  await press('Enter');
  await flow('2 excluded');
  await press('k');
  await page.getByText('Excluded: Made up').waitFor();
  await press('j', 'm');
  await flow('1 maybe');
  await page.getByRole('textbox', { name: 'Note' }).fill('Ask the authors.');
  await page.getByRole('textbox', { name: 'Note' }).blur();
  await page.getByRole('button', { name: 'Undo Edit note' }).waitFor();

  // Facets, the search with its words marked, and what both find decided on at once and taken back.
  await page.getByRole('button', { name: 'Keyword' }).click();
  await page.getByRole('checkbox', { name: /^sleep/ }).click();
  await page.getByRole('searchbox', { name: 'Search titles and abstracts' }).fill('spik* NOT 27');
  await page.getByText('13 of 39').waitFor();
  await page.locator('mark', { hasText: 'Spikes' }).first().waitFor();
  await page.getByRole('searchbox', { name: 'Search titles and abstracts' }).press('Escape');
  await press('x', 'j', 'x');
  await page.getByText('2 selected').waitFor();
  await workbench.themes('curate-bulk');
  expect(await workbench.accessibilityFaults()).toEqual([]);
  await page.getByRole('toolbar').getByRole('button', { name: 'Select all 13' }).click();
  await page
    .getByRole('toolbar')
    .getByRole('button', { name: /^Include/ })
    .click();
  await page.getByRole('button', { name: 'Undo Include 13 records' }).waitFor();
  const sheet = await saved(async () => {
    await page.getByRole('button', { name: 'Export' }).click();
    await page.getByRole('menuitem', { name: /^CSV/ }).click();
  });
  expect(sheet.name).toBe('records.csv');
  const lines = sheet.text.trim().split('\r\n');
  expect(lines).toHaveLength(14);
  expect(lines.filter((line) => line.includes(',include,'))).toHaveLength(13);
  await press('Control+z');
  await page.getByRole('button', { name: 'Undo Edit note' }).waitFor();
  await page.getByRole('button', { name: /^Clear 1/ }).click();
  await page.getByRole('searchbox', { name: 'Search titles and abstracts' }).fill('');
  await page.getByText('39 of 39').waitFor();

  // A group of copies: side by side, one taken out of it, and back again.
  await page.getByText('2 copies').first().click();
  await page.getByText('Two copies of this record').waitFor();
  await workbench.themes('curate-copies');
  await page.getByRole('button', { name: 'Side by side' }).click();
  await dialog.getByText('Copies side by side').waitFor();
  await workbench.themes('curate-side-by-side');
  expect(await workbench.accessibilityFaults()).toEqual([]);
  await dialog.getByRole('button', { name: 'Not a copy' }).click();
  await page.getByText('40 of 40').waitFor();
  await press('Control+z');
  await page.getByText('39 of 39').waitFor();
  expect(workbench.complaints).toEqual([]);
}, 180_000);
