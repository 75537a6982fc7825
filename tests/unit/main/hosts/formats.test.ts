import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FORMATS, jsonSchema, type FormatName } from '../../../../src/main/hosts/cli/formats.ts';

const folder = new URL('../../../../resources/schemas/', import.meta.url);
const names = Object.keys(FORMATS) as FormatName[];

describe('JSON schemas of the command line', () => {
  it.each(names)('%s is current (else: node scripts/write-schemas.ts)', (name) => {
    expect(readFileSync(new URL(`${name}.schema.json`, folder), 'utf8')).toBe(jsonSchema(name));
  });

  it('has no schema without a format', () => {
    expect(readdirSync(folder).sort()).toEqual(names.map((name) => `${name}.schema.json`).sort());
  });
});
