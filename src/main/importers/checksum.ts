import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { FormatError } from '../../shared/errors/index.ts';
import type { PlannedFile } from './plan.ts';

/**
 * Compares a file with the MD5 sum that was published with it (`MD5(name)= …` as PubMed writes it, or
 * `…  name`). Throws a FormatError (IMPORT_MD5, IMPORT_MD5_UNREADABLE).
 */
export async function verifyChecksum({ path, name, md5 }: PlannedFile): Promise<void> {
  if (md5 === undefined) return;
  const text = await readFile(md5, 'utf8');
  const expected = /\b[0-9a-f]{32}\b/i.exec(text.slice(0, 4096))?.[0]?.toLowerCase();
  if (expected === undefined) {
    throw new FormatError(
      'IMPORT_MD5_UNREADABLE',
      `${name}.md5 holds no MD5 sum.`,
      'Download it again, or remove it to import the file unchecked.',
    );
  }
  const hash = createHash('md5');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  const found = hash.digest('hex');
  if (found === expected) return;
  throw new FormatError(
    'IMPORT_MD5',
    `${name} has the MD5 sum ${found}, but ${expected} was published with it. Nothing of it is imported.`,
    'Download the file again.',
  );
}
