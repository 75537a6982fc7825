import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFailed } from 'vitest';
import { PairLine } from '../../src/shared/domain/index.ts';
import { openStudy } from '../../src/main/store/index.ts';
import { Workbench } from './workbench.ts';

const ROOT = join(import.meta.dirname, '../..');
const MODEL = join(ROOT, '../shared/models/stories260K-hf');
const run = promisify(execFile);

/** A sweep of 300 pairs takes seconds; much else may run on the machine. */
const SWEEP_MS = 240_000;
const POLL = { timeout: 60_000 };

const VERBS = 'was ran sat played went walked looked came jumped got saw said lived smiled hid'.split(' ');
/** Stories of a girl or a boy: the model's next word is “she” or “he”. */
const STORIES = ['happy', 'sad', 'good', 'big'].flatMap((mood) =>
  ['park', 'house', 'tree', 'garden', 'sea'].flatMap((place) => VERBS.map((verb) => ({ mood, place, verb }))),
);
const stories = (count: number, more: (index: number) => Partial<PairLine> = () => ({})) =>
  STORIES.slice(0, count).map(({ mood, place, verb }, i) =>
    PairLine.parse({
      id: `story-${i}`,
      clean: `The ${mood} girl ${verb} to the ${place}. Then`,
      corrupted: `The ${mood} boy ${verb} to the ${place}. Then`,
      answer: [' she'],
      wrong: [' he'],
      ...more(i),
    }),
  );
/** Tokens of “The happy girl”, after the one that begins a text. */
const SUBJECT: [number, number] = [1, 6];

/**
 * A real model that somebody else trained (stories260K, 260,032 parameters) and no pointer: pairs written,
 * swept, looked into, compared and undone with the keys alone.
 */
describe.skipIf(!existsSync(MODEL))('a real model by keyboard alone', () => {
  let folder: string;
  let workbench: Workbench;
  let page: Page;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'engram-keys-'));
    const study = join(folder, 'Stories');
    await run(process.execPath, [join(ROOT, 'bin/engram.js'), 'model', 'import', study, MODEL]);
    const opened = openStudy(study);
    opened.pairs.createSet(
      'Few',
      stories(12, (i) => ({
        type: i % 2 === 0 ? 'definitional' : 'associative',
        spans: { clean: { subject: SUBJECT }, corrupted: { subject: SUBJECT } },
      })),
    );
    opened.pairs.createSet('Many', stories(300));
    opened.close();
    workbench = await Workbench.start(study);
    ({ page } = workbench);
    page.setDefaultTimeout(45_000);
    await page.getByRole('navigation').waitFor();
  });
  beforeEach(({ task }) => {
    onTestFailed(() => workbench.shot(`keyboard-failed-${task.name.replaceAll(' ', '-')}`));
  });
  afterAll(async () => {
    await workbench.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** Goes to what a person would look for with Tab; fails where Tab does not lead there. */
  async function tabTo(role: string, name: RegExp): Promise<void> {
    const seen = new Set<string>();
    for (let i = 0; i < 250; i++) {
      const here = await focused(page);
      if (here.role === role && name.test(here.name)) return;
      seen.add(`${here.role} “${here.name}”`);
      await page.keyboard.press('Tab');
    }
    throw new Error(`Tab does not lead to ${role} ${name}; it led to ${[...seen].join(', ')}`);
  }
  /** Goes down an open menu. */
  async function arrowTo(name: RegExp): Promise<void> {
    await page.getByRole('menu').waitFor();
    for (let i = 0; i < 20; i++) {
      if (name.test((await focused(page)).name)) return;
      await page.keyboard.press('ArrowDown');
    }
    throw new Error(`no ${name} in the menu`);
  }
  /** Opens a menu, or a choice of the sentence, and takes what it offers. */
  async function choose(menu: RegExp, item: RegExp): Promise<void> {
    await tabTo('button', menu);
    await page.keyboard.press('Enter');
    await arrowTo(item);
    await page.keyboard.press('Enter');
  }
  /** Goes down a list of choices that is not open. */
  async function select(label: RegExp, option: RegExp): Promise<void> {
    await tabTo('combobox', label);
    for (let i = 0; i < 20; i++) {
      const chosen = await page.evaluate(() => {
        const at = document.activeElement;
        return at instanceof HTMLSelectElement ? (at.selectedOptions[0]?.text ?? '') : '';
      });
      if (option.test(chosen)) return;
      await page.keyboard.press('ArrowDown');
    }
    throw new Error(`no ${option} in the list`);
  }
  const planned = () => page.getByRole('button', { name: /^Run \d/, disabled: false }).waitFor();
  /** Runs what the sentence says, the n-th sweep of the study, to its end. */
  async function runSweep(n: number, pairs: number): Promise<void> {
    await planned();
    await page.keyboard.press('ControlOrMeta+Enter');
    await expect.poll(() => page.evaluate(() => location.hash), POLL).toBe(`#/sweeps/${n}`);
    const main = page.getByRole('main');
    await main.getByText('Complete', { exact: true }).first().waitFor({ timeout: SWEEP_MS });
    await main.getByRole('grid', { name: new RegExp(`mean over ${pairs} pairs`) }).waitFor();
  }
  /** The page as a person sees it, light and dark, and as a machine does. */
  async function look(name: string): Promise<void> {
    expect(await workbench.accessibilityFaults()).toEqual([]);
    await workbench.themes(name);
    await page.emulateMedia({ colorScheme: 'light' });
  }
  /** The command palette: what a keyboard user has instead of the rail. */
  async function command(text: string, heading: string): Promise<void> {
    await page.keyboard.press('ControlOrMeta+k');
    await expect.poll(async () => (await focused(page)).name, POLL).toMatch(/^Search commands/);
    await page.keyboard.insertText(text);
    await expect
      .poll(() => page.getByRole('dialog').getByRole('option').first().textContent(), POLL)
      .toContain(text);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: heading }).waitFor();
  }

  it('writes a pair', async () => {
    await command('Pairs', 'Pairs');
    await page.getByText('300 pairs').first().waitFor();
    await page.keyboard.press('n');
    await page.getByText('P-301', { exact: true }).first().waitFor();
    await page.getByRole('textbox', { name: 'Clean prompt' }).waitFor();
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.type('Once there was a girl. One day');
    await page.keyboard.press('Tab');
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.type('Once there was a boy. One day');
    for (const [side, said, unsaid] of [
      ['right', 'she', 'Paris'],
      ['wrong', 'he', 'Madrid'],
    ] as const) {
      await tabTo('button', new RegExp(`Add.*${side}`, 'i'));
      await page.keyboard.press('Enter');
      await page.keyboard.type(said);
      await page.keyboard.press('Enter');
      await tabTo('button', new RegExp(`Remove.*${unsaid}`));
      await page.keyboard.press('Enter');
    }
    await page.getByText('Aligned one to one').waitFor();
    await page
      .getByText(/\d+ ms/)
      .first()
      .waitFor();
    await look('keyboard-pair');
  });

  it('takes a pair away and brings it back', async () => {
    await page.keyboard.press('Escape');
    await tabTo('button', /^More/);
    await page.keyboard.press('Enter');
    await arrowTo(/^Delete pair/);
    await page.keyboard.press('Enter');
    await page.getByText('300 pairs').first().waitFor();
    await page.keyboard.press('ControlOrMeta+z');
    await page.getByText('301 pairs').first().waitFor();
  });

  it('runs two sweeps and watches one fill', async () => {
    await command('Sweeps', 'Sweeps');
    // However fast the machine is, what was on screen in between is written down.
    await page.evaluate(() => {
      const seen = new Set<string>();
      Object.assign(window, { seen });
      new MutationObserver(() => {
        for (const at of document.querySelectorAll('[role=tab]')) seen.add(at.textContent);
        for (const at of document.querySelectorAll('[role=grid]'))
          seen.add(at.getAttribute('aria-label') ?? '');
      }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
    });
    await runSweep(1, 301);
    const seen = await page.evaluate(() => [...(window as unknown as { seen: Set<string> }).seen]);
    // Some of the pairs were done, and their mean was drawn already.
    expect(seen).toContainEqual(expect.stringMatching(/[1-9]\d* of 301 pairs/));
    expect(seen).toContainEqual(expect.stringMatching(/mean over (?!301)[1-9]\d* /));
    await look('keyboard-sweep');

    await page.keyboard.press('n');
    await choose(/^Direction/, /^Corrupted → clean/);
    await runSweep(2, 301);
  });

  it('looks into a site', async () => {
    await tabTo('grid', /Residual stream/);
    await page.keyboard.press('Home');
    await page.keyboard.press('End');
    await page.keyboard.press('Enter');
    await page.getByText('95 % interval').first().waitFor();
    await page.keyboard.press('t');
    await page
      .getByRole('table')
      .or(page.getByRole('grid', { name: /Residual/ }))
      .first()
      .waitFor();
    await look('keyboard-site');
    await page.keyboard.press('t');
  });

  it('compares the two', async () => {
    await command('Compare', 'Compare');
    await page.getByText('B minus A').first().waitFor();
    await page.getByText('Settings that differ').waitFor();
    await look('keyboard-compare');
  });

  it('asks a sweep of few pairs whether layers and positions differ', async () => {
    await command('Sweeps', 'Sweeps');
    await page.keyboard.press('n');
    await choose(/^Pairs: /, /^Few/);
    await choose(/^Metric: /, /^Probability/);
    await page.keyboard.press('Escape');
    await runSweep(3, 12);
    await choose(/^Readings/, /^Do the layers differ/);
    await page.getByText(/Kendall’s W = /).waitFor();
    await look('keyboard-layers');
    await choose(/^Readings/, /^Position ratios/);
    await page.getByText('Zhang & Nanda 2024, section 4.1', { exact: false }).waitFor();
    await look('keyboard-ratios');
    await choose(/^Readings/, /^Attention after a joint patch/);
    await tabTo('textbox', /^Heads patched together/);
    await page.keyboard.type('1.0, 2.3');
    await tabTo('textbox', /^Heads watched/);
    await page.keyboard.type('4.1, 4.5');
    await tabTo('button', /^Patch and read/);
    await page.keyboard.press('Enter');
    await page.getByText('12 pairs in 12 clusters', { exact: false }).waitFor({ timeout: SWEEP_MS });
    await look('keyboard-attention');
  });

  it('sweeps named spans under Advanced', async () => {
    await page.keyboard.press('n');
    await choose(/^Pairs: /, /^Few/);
    await tabTo('summary', /^Advanced/);
    await page.keyboard.press('Enter');
    await select(/^Grid/, /^named spans/);
    await tabTo('checkbox', /^subject/);
    await page.keyboard.press('Space');
    await page.getByText(/^spans subject/).waitFor();
    await planned();
    await look('keyboard-advanced');
    await runSweep(4, 12);
    await look('keyboard-spans');
  });

  it('compares several results, two metrics and the question types', async () => {
    await command('Compare', 'Compare');
    await choose(/^Choose sweep A/, /^S-?0*3 /);
    await choose(/^Patched site/, /^Attention output/);
    await tabTo('radio', /^Site by site/);
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await page.getByText('Rank correlation', { exact: false }).waitFor();
    await look('keyboard-several');
    await page.keyboard.press('ArrowRight');
    await page.getByRole('table', { name: 'Localisation by question type' }).first().waitFor();
    await look('keyboard-types');
    await choose(/^More views/, /^Metrics/);
    await page
      .getByText(/^Spearman /)
      .first()
      .waitFor();
    await look('keyboard-metrics');
  });

  it.each([
    ['Library', 'No abstracts yet'],
    ['Curate', 'No abstracts to screen'],
    ['Models', 'stories260K'],
    ['Pairs', '301 pairs'],
    ['Sweeps', 'Complete'],
    ['Compare', 'Settings that differ'],
    ['Report', 'preview is live'],
    ['Settings', 'Appearance'],
  ])('shows %s whole at twice the size', async (name, text) => {
    await page.setViewportSize({ width: 720, height: 450 });
    await command(name, name);
    await page.getByRole('main').getByText(text).first().waitFor();
    expect(await workbench.accessibilityFaults()).toEqual([]);
    await workbench.shot(`twice-${name.toLowerCase()}`);
    // Nothing is cut off that cannot be scrolled to.
    const [window, main, room] = await page.evaluate(() => {
      const { scrollWidth = 0, clientWidth = 0 } = document.querySelector('main') ?? {};
      return [document.documentElement.scrollWidth, scrollWidth, clientWidth];
    });
    expect(window).toBeLessThanOrEqual(720);
    expect(main).toBeLessThanOrEqual(room);
    await page.evaluate(() => {
      for (const at of document.querySelectorAll('main, main *')) at.scrollTop = at.scrollHeight;
    });
    await workbench.shot(`twice-${name.toLowerCase()}-end`);
  });

  it('raised no error in the browser', () => {
    expect(workbench.complaints).toEqual([]);
  });
});

async function focused(page: Page): Promise<{ role: string; name: string }> {
  return page.evaluate(() => {
    const at = document.activeElement;
    if (at === null) return { role: '', name: '' };
    const roles: Record<string, string> = {
      A: 'link',
      BUTTON: 'button',
      INPUT: 'textbox',
      TEXTAREA: 'textbox',
      SELECT: 'combobox',
      SUMMARY: 'summary',
    };
    const tag = at instanceof HTMLInputElement && at.type === 'checkbox' ? 'checkbox' : roles[at.tagName];
    const labelled = at instanceof HTMLInputElement || at instanceof HTMLSelectElement;
    const label = labelled ? at.labels?.[0] : undefined;
    const text = label?.innerText ?? (at instanceof HTMLElement ? at.innerText : at.textContent);
    return {
      role: at.getAttribute('role') ?? tag ?? at.tagName,
      name: at.getAttribute('aria-label') ?? text.trim(),
    };
  });
}
