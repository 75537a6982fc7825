import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { contentSecurityPolicy } from '../../shell/web/policy.ts';

/** Names under which a browser may reach a loopback server; any other Host is a rebinding attempt. */
const LOOPBACK_NAMES: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** Headers of every answer. `styles` are hashes of inline style sheets that are allowed (the report's). */
export function securityHeaders(host: string, styles: readonly string[]): Record<string, string> {
  return {
    'Content-Security-Policy': contentSecurityPolicy([`ws://${host}`], styles),
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), microphone=(), geolocation=(), usb=(), serial=()',
  };
}

export type Refusal = { readonly status: number; readonly message: string };

/** Host and Origin of a request, checked; null when both are in order. */
export function refuseForeign(request: IncomingMessage, needsOrigin: boolean): Refusal | null {
  const host = request.headers.host ?? '';
  if (!LOOPBACK_NAMES.has(host.replace(/:\d+$/, '').toLowerCase())) {
    return { status: 403, message: 'This server answers on the loopback address only.' };
  }
  const { origin } = request.headers;
  if (origin === undefined ? needsOrigin : origin !== `http://${host}`) {
    return { status: 403, message: 'The request comes from another page.' };
  }
  if (request.headers['sec-fetch-site'] === 'cross-site') {
    return { status: 403, message: 'The request comes from another site.' };
  }
  return null;
}

/** The one-time token of the printed address, and the session it is exchanged for. */
export interface Gate {
  readonly token: string;
  /** The session cookie for a token seen for the first time; null for any other. */
  exchange(token: string): string | null;
  admits(request: IncomingMessage): boolean;
}

export function createGate(port: () => number): Gate {
  const secret = (): string => randomBytes(32).toString('base64url');
  const token = secret();
  const session = secret();
  let used = false;
  // Cookies are shared between ports of one host: the port in the name keeps two servers apart.
  const name = (): string => `engram_${port()}`;
  return {
    token,
    exchange: (given) => {
      if (used || !equal(given, token)) return null;
      used = true;
      return `${name()}=${session}; Path=/; HttpOnly; SameSite=Strict`;
    },
    admits: (request) => {
      const cookies = (request.headers.cookie ?? '').split(';').map((part) => part.trim().split('='));
      return cookies.some(([key, value]) => key === name() && equal(value ?? '', session));
    },
  };
}

function equal(a: string, b: string): boolean {
  const [x, y] = [a, b].map((text) => createHash('sha256').update(text).digest());
  return x !== undefined && y !== undefined && timingSafeEqual(x, y);
}
