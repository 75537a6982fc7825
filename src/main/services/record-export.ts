import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let folder: string | null = null;

/** A path for a file that is offered for saving; gone when the process ends. */
export function exportPath(name: string): string {
  if (folder === null) {
    const made = mkdtempSync(join(tmpdir(), 'engram-export-'));
    folder = made;
    process.once('exit', () => rmSync(made, { recursive: true, force: true }));
  }
  return join(mkdtempSync(join(folder, 'x-')), name);
}
