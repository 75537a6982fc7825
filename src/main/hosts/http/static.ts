import { createReadStream, statSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { extname, join, normalize, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** Types of the files that the renderer's build makes. */
export const MIME: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.woff': 'font/woff',
  '.wasm': 'application/wasm',
  '.map': 'application/json; charset=utf-8',
};

/** The file below `folder` that a URL path names; null for anything else, paths that climb out included. */
export function fileFor(folder: string, urlPath: string): string | null {
  let decoded: string;
  try {
    decoded = decodeURIComponent(urlPath);
  } catch {
    return null;
  }
  if (decoded.includes('\0')) return null;
  const path = normalize(join(folder, decoded === '/' ? 'index.html' : decoded));
  if (!path.startsWith(folder.endsWith(sep) ? folder : folder + sep)) return null;
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true ? path : null;
}

/** Sends a file. Built assets carry a hash in their names and may be kept; the page itself not. */
export async function sendFile(response: ServerResponse, path: string): Promise<void> {
  const type = MIME[extname(path).toLowerCase()] ?? 'application/octet-stream';
  const hashed = /-[\w-]{8}\.\w+$/.test(path);
  response.writeHead(200, {
    'Content-Type': type,
    'Content-Length': statSync(path).size,
    'Cache-Control': hashed ? 'private, max-age=31536000, immutable' : 'no-store',
  });
  await pipeline(createReadStream(path), response);
}
