import { describe, expect, it } from 'vitest';
import {
  APP_ORIGIN,
  hardenContents,
  hardenSession,
  isOwnPage,
  mayOpenExternal,
  WEB_PREFERENCES,
} from '../../../../src/main/shell/security.ts';
import { START_ADDRESS, windowOptions } from '../../../../src/main/shell/window.ts';
import { contentSecurityPolicy, styleHash } from '../../../../src/main/shell/web/policy.ts';
import { APP_SCHEMES, serveRenderer } from '../../../../src/main/shell/protocol.ts';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

describe('window security', () => {
  it('isolates and sandboxes the page, without Node', () => {
    expect(WEB_PREFERENCES).toEqual({
      contextIsolation: true,
      sandbox: true,
      webSecurity: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      allowRunningInsecureContent: false,
      experimentalFeatures: false,
      webviewTag: false,
      navigateOnDragDrop: false,
      spellcheck: false,
    });
    const { webPreferences, show } = windowOptions('/preload/index.cjs');
    expect(webPreferences).toEqual({ ...WEB_PREFERENCES, preload: '/preload/index.cjs' });
    expect(show).toBe(false);
  });

  it('denies every permission', () => {
    const answers: unknown[] = [];
    hardenSession({
      setPermissionRequestHandler: (handler) =>
        handler?.(null as never, 'media', (ok) => answers.push(ok), null as never),
      setPermissionCheckHandler: (handler) => answers.push(handler?.(null, 'media', '', null as never)),
      setDevicePermissionHandler: (handler) => answers.push(handler?.(null as never)),
    });
    expect(answers).toEqual([false, false, false]);
  });

  it('stays on the page, opens no window, and lets only known sites out', () => {
    const listeners = new Map<string, (event: { url: string; preventDefault(): void }) => void>();
    let open: ((details: { url: string }) => { action: string }) | undefined;
    const outside: string[] = [];
    const contents = {
      on: (event: string, listener: never) => listeners.set(event, listener),
      setWindowOpenHandler: (handler: never) => (open = handler),
    };
    hardenContents(contents, (url) => outside.push(url));
    const navigates = (event: string, url: string): boolean => {
      let prevented = false;
      listeners.get(event)?.({ url, preventDefault: () => (prevented = true) });
      return !prevented;
    };
    expect(navigates('will-navigate', `${APP_ORIGIN}/index.html`)).toBe(true);
    expect(navigates('will-navigate', 'https://example.org/')).toBe(false);
    expect(navigates('will-navigate', 'file:///etc/passwd')).toBe(false);
    expect(navigates('will-redirect', 'https://example.org/')).toBe(false);
    expect(navigates('will-attach-webview', `${APP_ORIGIN}/`)).toBe(false);
    expect(open?.({ url: 'https://pubmed.ncbi.nlm.nih.gov/1/' })).toEqual({ action: 'deny' });
    expect(open?.({ url: 'https://example.org/' })).toEqual({ action: 'deny' });
    expect(outside).toEqual(['https://pubmed.ncbi.nlm.nih.gov/1/']);
  });

  it.each([
    ['https://doi.org/10.1/x', true],
    ['http://doi.org/10.1/x', false],
    ['https://doi.org.evil.example/', false],
    ['https://user@doi.org/', false],
    ['https://doi.org:444/', false],
    ['file:///etc/passwd', false],
    ['javascript:alert(1)', false],
    ['not an address', false],
  ])('%s may open outside: %s', (url, allowed) => {
    expect(mayOpenExternal(url)).toBe(allowed);
  });

  it.each([
    [START_ADDRESS, true],
    ['app://engram/', true],
    ['app://other/', false],
    ['https://engram/', false],
    [undefined, false],
  ])('%s is the own page: %s', (url, own) => {
    expect(isOwnPage(url)).toBe(own);
  });
});

describe('the page’s scheme', () => {
  it('is secure and standard, without bypassing the policy', () => {
    expect(APP_SCHEMES).toEqual([
      { scheme: 'app', privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } },
    ]);
  });

  it('allows scripts from the page alone, and styles by hash', () => {
    const policy = contentSecurityPolicy([], [styleHash('p{}')]);
    expect(policy).toContain("default-src 'self'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("connect-src 'self';");
    expect(policy).toContain("object-src 'none'");
    expect(policy).toMatch(/style-src 'self' 'sha256-[\w+/]{43}='/);
  });

  it('serves files of the renderer’s folder and nothing else', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'engram-app-'));
    writeFileSync(join(folder, 'index.html'), '<p>page</p>');
    let answer: ((request: Request) => Response | Promise<Response>) | undefined;
    serveRenderer({ handle: (_scheme, handler) => (answer = handler) }, folder, []);
    const get = async (url: string, method = 'GET') => await answer?.({ url, method } as Request);
    const page = await get('app://engram/index.html');
    expect(await page?.text()).toBe('<p>page</p>');
    expect(page?.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page?.headers.get('content-security-policy')).toContain("default-src 'self'");
    for (const url of ['app://other/index.html', 'app://engram/../secret', 'app://engram/none.js']) {
      expect((await get(url))?.status).toBe(404);
    }
    expect((await get('app://engram/index.html', 'POST'))?.status).toBe(404);
    rmSync(folder, { recursive: true });
  });
});
