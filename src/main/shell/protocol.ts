import { readFile } from 'node:fs/promises';
import type { CustomScheme, Protocol } from 'electron';
import { APP_SCHEME, isOwnPage } from './security.ts';
import { contentSecurityPolicy } from './web/policy.ts';
import { fileFor, mimeOf } from './web/static.ts';

/** Registered before the application is ready: a secure, standard origin of its own. */
export const APP_SCHEMES: CustomScheme[] = [
  {
    scheme: APP_SCHEME,
    privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true },
  },
];

/** Answers the page's requests from the built renderer's folder, under the strict policy. */
export function serveRenderer(
  protocol: Pick<Protocol, 'handle'>,
  folder: string,
  styles: readonly string[],
): void {
  const policy = contentSecurityPolicy([], styles);
  protocol.handle(APP_SCHEME, async ({ url, method }) => {
    const path = isOwnPage(url) && method === 'GET' ? fileFor(folder, new URL(url).pathname) : null;
    if (path === null) return new Response('Not found', { status: 404 });
    return new Response(new Uint8Array(await readFile(path)), {
      headers: {
        'Content-Type': mimeOf(path),
        'Content-Security-Policy': policy,
        'X-Content-Type-Options': 'nosniff',
      },
    });
  });
}
