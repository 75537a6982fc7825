import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axe from 'axe-core';
import { chromium, type Browser, type Page } from 'playwright-core';

const ROOT = join(import.meta.dirname, '../..');
/** Screenshots for a person to look at; not committed. */
const SHOTS = join(ROOT, 'test-results/screenshots');

const BROWSER_FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

function chromiumPath(): string {
  const places = [
    process.env['CHROMIUM'],
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
  ];
  const found = places.find((p) => p !== undefined && existsSync(p));
  if (found === undefined) {
    throw new Error(
      'End-to-end tests need a Chromium: apt-get install -y chromium, or set CHROMIUM to its path.',
    );
  }
  return found;
}

/** The built headless host with a data folder of its own, and a browser that looks at it. */
export class Workbench {
  readonly data: string;
  readonly #browser: Browser;
  #host: ChildProcess;
  readonly page: Page;
  /** What the page complained about: a test expects none. */
  readonly complaints: string[] = [];

  private constructor(data: string, host: ChildProcess, browser: Browser, page: Page) {
    this.data = data;
    this.#host = host;
    this.#browser = browser;
    this.page = page;
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(message.text());
    });
  }

  /** With the study in the folder `study` open, or none. */
  static async start(study?: string): Promise<Workbench> {
    await mkdir(SHOTS, { recursive: true });
    const data = await mkdtemp(join(tmpdir(), 'engram-e2e-'));
    const { host, url } = await startHost(data, study);
    const browser = await chromium.launch({ executablePath: chromiumPath(), args: BROWSER_FLAGS });
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, acceptDownloads: true });
    const workbench = new Workbench(data, host, browser, page);
    await page.goto(url);
    return workbench;
  }

  /** Ends the host as a power cut would, and starts it again over the same data. */
  async killAndRestart(): Promise<void> {
    await ended(this.#host, 'SIGKILL');
    const { host, url } = await startHost(this.data);
    this.#host = host;
    await this.page.goto(url);
  }

  /** Loads the page again with answers and events of the host that arrive late, in ms. */
  async answerLate(delay: number): Promise<void> {
    await this.page.routeWebSocket(/.*/, (socket) => {
      const host = socket.connectToServer();
      host.onMessage((message) => setTimeout(() => socket.send(message), delay));
    });
    await this.page.reload();
  }

  async open(page: string): Promise<void> {
    await this.page
      .getByRole('navigation')
      .getByRole('link', { name: new RegExp(`^${page}`) })
      .click();
    await this.page.getByRole('heading', { level: 1, name: page }).waitFor();
  }

  /** Serious and critical accessibility findings of what is shown (axe-core, WCAG 2.2 AA). */
  async accessibilityFaults(): Promise<string[]> {
    await this.#settled();
    await this.page.evaluate(axe.source);
    return this.page.evaluate(async () => {
      const tags = ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'];
      const { axe: loaded } = window as unknown as { axe: typeof axe }; // put there by the line above
      const { violations } = await loaded.run(document, { runOnly: tags });
      return violations
        .filter((v) => v.impact === 'serious' || v.impact === 'critical')
        .map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 120)).join(' | ')}`);
    });
  }

  /** Until colours and places stopped moving: in between, contrasts are neither the old nor the new ones. */
  async #settled(): Promise<void> {
    await this.page.evaluate(async () => {
      const picture = () => new Promise((resolve) => requestAnimationFrame(resolve));
      await picture();
      await picture();
      const ending = document
        .getAnimations()
        .filter((a) => a.effect?.getComputedTiming().endTime !== Number.POSITIVE_INFINITY);
      await Promise.allSettled(ending.map((a) => a.finished));
      await picture();
    });
  }

  async shot(name: string): Promise<void> {
    await this.page.screenshot({ path: join(SHOTS, `${name}.png`) });
  }

  /** The page as it is, light and dark. */
  async themes(name: string): Promise<void> {
    for (const theme of ['dark', 'light'] as const) {
      await this.page.emulateMedia({ colorScheme: theme });
      await this.page.waitForTimeout(150);
      await this.shot(`${name}-${theme}`);
    }
  }

  /** The page at the three sizes of the design, light and dark. */
  async shots(name: string): Promise<void> {
    const before = this.page.viewportSize() ?? { width: 1440, height: 900 };
    for (const theme of ['light', 'dark'] as const) {
      await this.page.emulateMedia({ colorScheme: theme });
      for (const [width, height] of [
        [1280, 720],
        [1440, 900],
        [1920, 1080],
      ] as const) {
        await this.page.setViewportSize({ width, height });
        await this.page.waitForTimeout(400);
        await this.shot(`${name}-${width}-${theme}`);
      }
    }
    await this.page.emulateMedia({ colorScheme: 'light' });
    await this.page.setViewportSize(before);
  }

  async stop(): Promise<void> {
    await this.#browser.close();
    await ended(this.#host, 'SIGTERM');
    await rm(this.data, { recursive: true, force: true });
  }
}

async function startHost(data: string, study?: string): Promise<{ host: ChildProcess; url: string }> {
  const args = [join(ROOT, 'bin/engram.js'), '--data', data, 'serve', '--port', '0', '--no-open'];
  if (study !== undefined) args.push('--study', study);
  const host = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const url = await new Promise<string>((resolve, reject) => {
    let text = '';
    host.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const found = /http:\/\/127\.0\.0\.1:\d+\/\?token=\S+/.exec(text);
      if (found !== null) resolve(found[0]);
    });
    host.on('exit', (code) => reject(new Error(`the host ended with ${code}: ${text}`)));
  });
  return { host, url };
}

async function ended(host: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (host.exitCode !== null || host.signalCode !== null) return;
  const gone = new Promise((resolve) => host.once('exit', resolve));
  host.kill(signal);
  await gone;
}
