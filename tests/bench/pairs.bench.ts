import type { Page } from 'playwright-core';
import { Workbench } from '../e2e/workbench.ts';
import { median } from './support.ts';

/**
 * How a set of 1,000 pairs feels: the real page in a browser without a graphics card, the real host, a small model that
 * reads every pair. Times are from the key or click to the picture that answers it, counted by the page itself.
 */
const PAIRS = 1_000;
const KEYS = 60;
const SYMBOLS = 'a, b, c, d, f, g, n, o, p, s, t, w, A, B, C, D, E, F, I, L, N, S';

/** Notes, for every key, the time until the next picture is drawn. */
async function timeKeys(page: Page, press: () => Promise<void>): Promise<number[]> {
  await page.evaluate(() => {
    const times: number[] = [];
    Object.assign(window, { times });
    document.addEventListener(
      'keydown',
      (event) => {
        const after = new MessageChannel();
        after.port1.onmessage = () => times.push(performance.now() - event.timeStamp);
        requestAnimationFrame(() => after.port2.postMessage(null));
      },
      { capture: true },
    );
  });
  await press();
  await page.waitForTimeout(500);
  return page.evaluate(() => (window as unknown as { times: number[] }).times.splice(0));
}

/** From a click until a text stands on the page and was drawn. */
async function timeUntil(page: Page, act: () => Promise<void>, text: string): Promise<number> {
  await page.evaluate((wanted) => {
    const found = new Promise<number>((resolve) => {
      let start = 0;
      const listen = (event: Event): void => {
        if (start === 0) start = event.timeStamp;
      };
      for (const kind of ['click', 'keydown']) document.addEventListener(kind, listen, { capture: true });
      const look = (): void => {
        if (start > 0 && document.body.innerText.includes(wanted)) resolve(performance.now() - start);
        else requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    });
    Object.assign(window, { found });
  }, text);
  await act();
  return page.evaluate(() => (window as unknown as { found: Promise<number> }).found);
}

const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(q * (values.length - 1))] ?? Number.NaN;
const line = (what: string, times: readonly number[]): void => {
  console.log(
    `| ${what} | ${median(times).toFixed(0)} | ${quantile(times, 0.95).toFixed(0)} | ${Math.max(...times).toFixed(0)} |`,
  );
};

export default async function bench(): Promise<void> {
  const workbench = await Workbench.start();
  const { page } = workbench;
  page.setDefaultTimeout(120_000);
  try {
    await makeSet(workbench);
    console.log('| of 1,000 pairs | median ms | 95 % | worst |\n|---|---|---|---|');
    const opened: number[] = [];
    for (let i = 0; i < 5; i++) {
      await workbench.open('Models');
      const link = page.getByRole('navigation').getByRole('link', { name: /^Pairs/ });
      opened.push(await timeUntil(page, () => link.click(), `1 of ${PAIRS.toLocaleString('en')}`));
      await page.getByText(/valid on/).waitFor();
    }
    line('open the page with the set', opened);
    await page.waitForTimeout(1_000);
    await page.locator('body').press('e');
    const field = page.getByRole('textbox', { name: 'Clean prompt' });
    await field.waitFor();
    line(
      'type in a prompt, key to picture',
      await timeKeys(page, () => field.pressSequentially('a'.repeat(KEYS), { delay: 60 })),
    );
    await page.getByRole('button', { name: 'Close text' }).click();
    await page.getByRole('grid', { name: 'Pairs' }).focus();
    line(
      'next pair (J), key to picture',
      await timeKeys(page, async () => {
        for (let i = 0; i < KEYS; i++) {
          await page.keyboard.press('j');
          await page.waitForTimeout(60);
        }
      }),
    );
    const search = page.getByRole('textbox', { name: /^Search/ });
    line(
      'search the set, key to picture',
      await timeKeys(page, () => search.pressSequentially('induction-77', { delay: 60 })),
    );
    await search.fill('');
    await page.getByText(/valid on/).waitFor();
    const meta = await page.getByText(/valid on/).innerText();
    const valid = /([\d,]+) valid/.exec(meta)?.[1] ?? '';
    await page.getByRole('button', { name: 'Actions on the set' }).click();
    const remove = page.getByRole('menuitem', { name: /^Remove/ });
    line('remove the invalid pairs', [await timeUntil(page, () => remove.click(), `All ${valid}`)]);
    const undo = page.getByRole('button', { name: /^Undo/ });
    line('undo it', [await timeUntil(page, () => undo.click(), `All ${PAIRS.toLocaleString('en')}`)]);
  } finally {
    await workbench.stop();
  }
}

/** A study with a small model and a set of pairs drawn by it. */
async function makeSet(workbench: Workbench): Promise<void> {
  const { page } = workbench;
  await page.getByRole('button', { name: 'New study' }).click();
  await page.getByRole('dialog').getByRole('textbox', { name: 'Name' }).fill('Large set');
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
  await page.locator('button:enabled', { hasText: 'Generate' }).click();
  const dialog = page.getByRole('dialog', { name: 'Generate pairs' });
  await dialog.getByRole('combobox', { name: 'Task' }).focus();
  await page.keyboard.type('In-context');
  await dialog.getByRole('textbox', { name: 'Tokens of your own' }).fill(SYMBOLS);
  await dialog.getByRole('textbox', { name: 'Pairs', exact: true }).fill(String(PAIRS));
  await dialog.getByRole('textbox', { name: 'Name of the set' }).fill('Thousand');
  await dialog.getByText(/of 1,000 pairs drawn/).waitFor();
  await dialog.getByRole('button', { name: 'Generate', exact: true }).click();
  await dialog.waitFor({ state: 'hidden' });
  await page.getByText(/valid on/).waitFor();
}
