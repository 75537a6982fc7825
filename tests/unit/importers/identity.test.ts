import { describe, expect, it } from 'vitest';
import type { ImportedRecord } from '../../../src/shared/domain/index.ts';
import { compareCopies, contentHash, identityKeys } from '../../../src/main/importers/index.ts';
import { stripCopyrightTail } from '../../../src/main/importers/identity.ts';
import { article, firstRecord } from './support.ts';

const record = (title: string, abstract: string, more: Partial<ImportedRecord> = {}) => ({
  pmid: null,
  doi: null,
  title,
  abstract,
  ...more,
});
const textKey = (title: string, abstract: string): string | null =>
  identityKeys(record(title, abstract)).text;

describe('identity keys', () => {
  it('give PMID and lower-cased DOI', () => {
    expect(identityKeys(record('T', 'A', { pmid: '5', doi: '10.1000/ABC' }))).toMatchObject({
      pmid: '5',
      doi: '10.1000/abc',
    });
    expect(identityKeys(record('T', 'A'))).toMatchObject({ pmid: null, doi: null });
  });

  it('do not see case, marks, punctuation, white space, scripts and a copyright line', () => {
    const key = textKey('Naïve CO₂ test.', 'Seizures were re-counted (n = 5) in a long enough abstract.');
    expect(key).toMatch(/^[0-9a-f]{64}$/);
    expect(
      textKey(
        'NAIVE CO2 TEST',
        'Seizures were recounted, N=5, in a long\nenough abstract. © 2020 Elsevier B.V.',
      ),
    ).toBe(key);
  });

  it('see words and numbers, and where the title ends', () => {
    const key = textKey('Title', 'Seizures in 5 patients.');
    expect(textKey('Title', 'Seizures in 6 patients.')).not.toBe(key);
    expect(textKey('Other title', 'Seizures in 5 patients.')).not.toBe(key);
    expect(textKey('Title seizures', 'in 5 patients.')).not.toBe(key);
  });

  it('have no text key without an abstract', () => {
    expect(textKey('Introduction.', ' – ')).toBeNull();
  });

  it('do not mix up texts in other scripts', () => {
    expect(textKey('', 'てんかん')).not.toBeNull();
    expect(textKey('', 'てんかん')).not.toBe(textKey('', '脳波'));
  });
});

describe('a copyright line', () => {
  const body =
    'We studied seizures in many patients over a period of ten years and found several things of note.';
  it.each([
    '© 2020 The Authors.',
    'Copyright © 2019 Elsevier B.V. All rights reserved.',
    '(c) 2001 Wiley-Liss, Inc.',
    'Copyright 2001 Wiley-Liss, Inc.',
    '(PsycInfo Database Record (c) 2020 APA, all rights reserved).',
    'This article is protected by copyright. All rights reserved.',
    'Published by Elsevier Ltd.',
  ])('%j is left out', (tail) => {
    expect(stripCopyrightTail(`${body} ${tail}`)).toBe(body);
  });

  it.each([
    'Groups were (a) treated, (b) untreated, and (c) historical controls.',
    'Copyright law governs the reuse of EEG recordings in teaching.',
    '© 2020 The Authors.',
  ])('%j is not one, or is all there is', (text) => {
    expect(stripCopyrightTail(text)).toBe(text);
  });

  it('in the middle of a long abstract cuts nothing', () => {
    const long = `${body} © 2020 X. ${body.repeat(6)}`;
    expect(stripCopyrightTail(long)).toBe(long);
  });
});

describe('copies', () => {
  it('are represented by the newest version, then year, then the longest abstract', () => {
    const a = { version: 2, year: 2000, abstract: 'a' };
    const b = { version: 1, year: 2020, abstract: 'longer' };
    const c = { version: 1, year: 2020, abstract: 'short' };
    const d = { version: 1, year: null, abstract: 'the longest of all' };
    expect([d, c, b, a].sort(compareCopies)).toEqual([a, b, c, d]);
    expect(compareCopies(a, { ...a })).toBe(0);
  });

  it('have one content hash exactly when every field is the same', async () => {
    const one = await firstRecord(article());
    const hash = contentHash(one);
    expect(contentHash(await firstRecord(article()))).toBe(hash);
    const changes: Partial<ImportedRecord>[] = [
      { pmid: '101' },
      { version: 2 },
      { doi: '10.1/x' },
      { title: 'B' },
      { abstract: 'B' },
      { sections: [] },
      { otherAbstracts: [{ type: null, language: null, text: 'B' }] },
      { journal: 'B' },
      { year: 2021 },
      { date: '2021' },
      { authors: ['B'] },
      { affiliations: ['B'] },
      { keywords: ['B'] },
      { mesh: [{ descriptor: 'B', major: false, qualifiers: [] }] },
      { publicationTypes: ['B'] },
      { language: 'ger' },
      { url: '' },
      { flags: ['erratum'] },
      { bibliographic: { volume: '9', issue: '', pages: '', issn: '', pmcid: '' } },
    ];
    const hashes = changes.map((change) => contentHash({ ...one, ...change }));
    expect(new Set([hash, ...hashes]).size).toBe(changes.length + 1);
    const covered = new Set(changes.flatMap((change) => Object.keys(change)));
    expect(Object.keys(one).filter((field) => !covered.has(field))).toEqual([]);
  });
});
