// Writes resources/schemas: node scripts/write-schemas.ts
import { mkdirSync, writeFileSync } from 'node:fs';
import { FORMATS, jsonSchema, type FormatName } from '../src/main/hosts/cli/formats.ts';

const folder = new URL('../resources/schemas/', import.meta.url);
mkdirSync(folder, { recursive: true });
for (const name of Object.keys(FORMATS) as FormatName[]) {
  writeFileSync(new URL(`${name}.schema.json`, folder), jsonSchema(name));
}
