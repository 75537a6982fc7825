import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FORMATS } from '../../../src/main/hosts/cli/formats.ts';
import { ROOT } from './process.ts';

// The pages are built by `npm ci` (prepare) and by `npm run build`.
const built = existsSync(join(ROOT, 'out/renderer/index.html'));

describe.skipIf(!built)('engram serve', () => {
  it('prints one address, serves the page behind it, and ends cleanly when asked', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'engram-serve-'));
    const args = [`${ROOT}src/main/hosts/cli.ts`, '--data', folder, 'serve', '--no-open', '--json'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const closed = new Promise<number | null>((resolve) => child.on('close', resolve));
    const line = await new Promise<string>((resolve) => {
      child.stdout.setEncoding('utf8').once('data', resolve);
    });
    const { url, port } = FORMATS['serve-result'].schema.parse(JSON.parse(line));
    expect(url).toMatch(new RegExp(`^http://127\\.0\\.0\\.1:${port}/\\?token=[\\w-]{43}$`));
    const page = new URL('/index.html', url);
    expect((await fetch(page)).status).toBe(401);
    const entered = await fetch(url);
    const cookie = entered.headers.get('set-cookie')?.split(';')[0] ?? '';
    const answer = await fetch(page, { headers: { cookie } });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain('<div id="app">');
    child.kill('SIGTERM');
    expect(await closed).toBe(0);
    rmSync(folder, { recursive: true, force: true });
  });
});
