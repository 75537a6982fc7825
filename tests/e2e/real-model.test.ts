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

const VERBS = 'was ran sat played went walked looked came jumped got saw said lived smiled hid'.split(' ');
/** Stories of a girl or a boy: the model's next word is “she” or “he”. */
const STORIES = ['happy', 'sad', 'good', 'big', 'little', 'very happy', 'very sad', 'very good'].flatMap(
  (mood) =>
    ['park', 'house', 'tree', 'garden', 'sea'].flatMap((place) =>
      VERBS.map((verb) => ({ mood, place, verb })),
    ),
);

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
      'Many',
      STORIES.map(({ mood, place, verb }, i) =>
        PairLine.parse({
          id: `story-${i}`,
          clean: `The ${mood} girl ${verb} to the ${place}. Then`,
          corrupted: `The ${mood} boy ${verb} to the ${place}. Then`,
          answer: [' she'],
          wrong: [' he'],
        }),
      ),
    );
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
    for (let i = 0; i < 120; i++) {
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
  /** The command palette: what a keyboard user has instead of the rail. */
  async function command(text: string, heading: string): Promise<void> {
    await page.keyboard.press('ControlOrMeta+k');
    await page.getByRole('combobox').waitFor();
    await page.keyboard.insertText(text);
    await page
      .getByRole('option', { name: new RegExp(text) })
      .first()
      .waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: heading }).waitFor();
  }

  it('writes a pair', async () => {
    await command('Pairs', 'Pairs');
    await page.getByText('600 pairs').first().waitFor();
    await page.keyboard.press('n');
    await page.getByText('P-601', { exact: true }).first().waitFor();
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
    await workbench.shots('keyboard-pair');
    expect(await workbench.accessibilityFaults()).toEqual([]);
  });

  it('takes a pair away and brings it back', async () => {
    await page.keyboard.press('Escape');
    await tabTo('button', /^More/);
    await page.keyboard.press('Enter');
    await arrowTo(/^Delete pair/);
    await page.keyboard.press('Enter');
    await page.getByText('600 pairs').first().waitFor();
    await page.keyboard.press('ControlOrMeta+z');
    await page.getByText('601 pairs').first().waitFor();
  });

  it('runs two sweeps and watches one fill', async () => {
    await command('Sweeps', 'Sweeps');
    await page.getByRole('button', { name: /^Run / }).waitFor();
    await page.keyboard.press('ControlOrMeta+Enter');
    // Some of the pairs are done, and their mean is drawn already.
    await page
      .getByRole('tab')
      .getByText(/[1-9]\d* of 601 pairs/)
      .first()
      .waitFor({ timeout: 60_000 });
    expect(await page.getByRole('grid').getAttribute('aria-label')).toMatch(/mean over [1-9]/);
    await workbench.shot('keyboard-filling');
    await page.getByText('Complete', { exact: true }).first().waitFor({ timeout: 240_000 });
    await workbench.shots('keyboard-sweep');
    expect(await workbench.accessibilityFaults()).toEqual([]);

    await page.keyboard.press('n');
    await tabTo('button', /^Direction/);
    await page.keyboard.press('Enter');
    await arrowTo(/^Corrupted → clean/);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: /^Run \d/ }).waitFor();
    await page.keyboard.press('ControlOrMeta+Enter');
    await page.getByText('Running', { exact: true }).first().waitFor();
    await page.getByText('Complete', { exact: true }).first().waitFor({ timeout: 240_000 });
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
    await workbench.shots('keyboard-site');
    expect(await workbench.accessibilityFaults()).toEqual([]);
    await page.keyboard.press('t');
  });

  it('compares the two', async () => {
    await command('Compare', 'Compare');
    await page.getByText('B minus A').first().waitFor();
    await page.getByText('Settings that differ').waitFor();
    await workbench.shots('keyboard-compare');
    expect(await workbench.accessibilityFaults()).toEqual([]);
  });

  it.each(['Library', 'Curate', 'Models', 'Pairs', 'Sweeps', 'Compare', 'Report', 'Settings'])(
    'shows %s whole at twice the size',
    async (name) => {
      await page.setViewportSize({ width: 720, height: 450 });
      await command(name, name);
      await page.waitForTimeout(500);
      await workbench.shot(`twice-${name.toLowerCase()}`);
      expect(await workbench.accessibilityFaults()).toEqual([]);
      // Nothing is cut off that cannot be scrolled to.
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(720);
    },
  );

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
    };
    const text = at instanceof HTMLElement ? at.innerText : (at.textContent ?? '');
    return {
      role: at.getAttribute('role') ?? roles[at.tagName] ?? at.tagName,
      name: at.getAttribute('aria-label') ?? text.trim(),
    };
  });
}
