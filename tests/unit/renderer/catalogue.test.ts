import { describe, expect, it } from 'vitest';
import { glossary, GLOSSARY_KEYS } from '../../../src/renderer/i18n/glossary.ts';
import { en } from '../../../src/renderer/i18n/en.ts';

/** Every fixed sentence of the catalogue with its place. */
function sentences(node: unknown, path: string): [string, string][] {
  if (typeof node === 'string') return [[path, node]];
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([key, value]) => sentences(value, `${path}.${key}`));
}

describe('the catalogue', () => {
  it('keeps to the tone: no exclamation marks, no please, no oops, no empty sentence', () => {
    const all = sentences(en, 'en');
    expect(all.length).toBeGreaterThan(200);
    for (const [path, text] of all) {
      expect(text, path).not.toMatch(/!|\bplease\b|\boops\b/i);
      expect(text.trim(), path).not.toBe('');
    }
  });
  it('explains every term in two or three sentences that follow its name', () => {
    for (const key of GLOSSARY_KEYS) {
      const { text } = glossary[key];
      expect(text, key).toMatch(/^[a-z]/);
      expect(text.split(/\.(?:\s|$)/).filter((s) => s !== '').length, key).toBeLessThanOrEqual(3);
    }
  });
});
