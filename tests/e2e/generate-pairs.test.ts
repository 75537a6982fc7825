import { expect, it, onTestFinished } from 'vitest';
import { Workbench } from './workbench.ts';

it('draws pairs by keyboard alone: the dialog, its preview, a new set, a replacement of the right length', async () => {
  const workbench = await Workbench.start();
  onTestFinished(() => workbench.stop());
  const { page } = workbench;
  page.setDefaultTimeout(60_000);
  await page.getByRole('button', { name: 'New study' }).click();
  await page.getByRole('dialog').getByRole('textbox', { name: 'Name' }).fill('Tasks');
  await page.getByRole('dialog').getByRole('button', { name: 'Create study' }).click();
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  await workbench.open('Models');
  await page.getByRole('button', { name: 'Create small model' }).first().click();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: /Create/ })
    .click();
  await page.getByRole('dialog').waitFor({ state: 'hidden' });

  await workbench.open('Pairs');
  await page.locator('button:enabled', { hasText: 'Generate' }).waitFor();
  await page.keyboard.press('g');
  const dialog = page.getByRole('dialog', { name: 'Generate pairs' });
  await dialog.waitFor();
  // The sample’s tokenizer knows few names as one token: the refusal says so.
  await dialog.getByText(/are a single token of this tokenizer/).waitFor();
  await dialog.getByRole('combobox', { name: 'Task' }).focus();
  await page.keyboard.type('Template');
  await dialog.getByText('Fill in the fields').waitFor();
  const fields = {
    Template: 'Patients with {subject} in {place} had',
    'Subjects and answers': 'seizures = spikes\nepilepsy = sleep\nspikes = seizures\nsleep = epilepsy',
    'Other slots': 'place = children, adults',
    'Name of the set': 'Drawn',
  };
  for (const [name, text] of Object.entries(fields)) {
    await dialog.getByRole('textbox', { name, exact: true }).focus();
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.insertText(text);
  }
  await dialog.getByRole('combobox', { name: 'Answers of several tokens' }).focus();
  await page.keyboard.type('Score the first');
  await dialog.getByText(/of 50 pairs drawn/).waitFor();
  await dialog.getByText('Patients with', { exact: false }).first().waitFor();
  expect(await workbench.accessibilityFaults()).toEqual([]);
  await workbench.shots('generate-pairs');
  await dialog.getByRole('button', { name: 'Generate', exact: true }).focus();
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'hidden' });
  await page.getByRole('button', { name: 'Pair sets' }).getByText('Drawn').waitFor();
  await page.getByRole('grid', { name: 'Pairs' }).getByText('Patients with').first().waitFor();

  // A new pair by keyboard: N opens its text at once, and what is typed is its own, however late the answers.
  const first = page.getByRole('grid', { name: 'Pairs' }).getByRole('row', { selected: true });
  const firstText = first.getByRole('gridcell').nth(1);
  const before = await firstText.innerText();
  await workbench.answerLate(150);
  await first.waitFor();
  await page.keyboard.press('n');
  await page.keyboard.insertText('Patients with epilepsy had');
  await page.keyboard.press('Tab');
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.insertText('Patients with cognitive dysfunction had');
  const made = page.getByRole('row', { selected: true }).getByText('Patients with epilepsy had');
  await made.waitFor();
  const inField = (name: string) => page.getByRole('textbox', { name }).inputValue();
  expect([await inField('Clean prompt'), await inField('Corrupted prompt')]).toEqual([
    'Patients with epilepsy had',
    'Patients with cognitive dysfunction had',
  ]);
  const matches = page.getByRole('group', { name: 'Of the right length' });
  await matches.getByRole('button').first().focus();
  await page.keyboard.press('Enter');
  await page.getByText('Aligned one to one,').waitFor();
  await page.getByRole('grid', { name: 'Pairs' }).press('Home');
  await page.getByText(/^1 of /).waitFor();
  expect(await firstText.innerText()).toBe(before);
  expect(workbench.complaints).toEqual([]);
});
