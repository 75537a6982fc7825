// Writes resources/licences.json, the packages that are shipped and their licences, from the lock file:
// node scripts/write-licences.ts
import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';

const root = new URL('../', import.meta.url);
const Lock = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      license: z.string().optional(),
      dev: z.boolean().optional(),
      devOptional: z.boolean().optional(),
      peer: z.boolean().optional(),
    }),
  ),
});
/** Bundled into the pages or the shell although npm counts them as development dependencies. */
const BUNDLED = new Set(['svelte', 'bits-ui', 'electron']);

const { packages } = Lock.parse(JSON.parse(readFileSync(new URL('package-lock.json', root), 'utf8')));
const rows = Object.entries(packages).flatMap(([path, entry]) => {
  const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
  const shipped = path !== '' && entry.dev !== true && entry.devOptional !== true && entry.peer !== true;
  if (!shipped && !BUNDLED.has(name)) return [];
  return [{ name, version: entry.version ?? '', licence: entry.license ?? 'see the package' }];
});
const unique = [...new Map(rows.map((row) => [`${row.name} ${row.version}`, row])).values()];
unique.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
writeFileSync(new URL('resources/licences.json', root), `${JSON.stringify(unique, null, 2)}\n`);
