import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SaxesParser } from 'saxes';
import { describe, expect, it } from 'vitest';
import { XmlFault } from '../../../src/main/importers/xml/fault.ts';
import { XmlScanner } from '../../../src/main/importers/xml/scanner.ts';
import { syntheticSet } from '../../bench/synthetic-pubmed.ts';
import { mutated, randomFrom } from '../../support/mutate.ts';

/**
 * Our scanner beside saxes, which shares no code with it: the same documents are well-formed to both, and hold
 * the same tags, attributes and texts.
 */
type Told = [string, ...string[]];

/** Texts that follow one another as one, blank ones as one space: our scanner hands those out so. */
function joined(told: readonly Told[]): Told[] {
  const out: Told[] = [];
  for (const [what, ...rest] of told) {
    const last = out.at(-1);
    if (what === 'text' && last?.[0] === 'text')
      out[out.length - 1] = ['text', (last[1] ?? '') + (rest[0] ?? '')];
    else out.push([what, ...rest]);
  }
  return out.map((part) => (part[0] === 'text' && /^[ \t\n]*$/.test(part[1] ?? '') ? ['text', ' '] : part));
}

const attributesOf = (attributes: Readonly<Record<string, string>>): string[] =>
  Object.entries(attributes).flatMap(([name, value]) => [name, value]);

/** What the scanner tells of a text given in chunks, and whether it is well-formed. */
function scanned(text: string, chunk: number): { told: Told[]; fault: XmlFault | null } {
  const told: Told[] = [];
  let depth = 0;
  const scanner = new XmlScanner(
    {
      open: (name, attributes) => {
        depth += 1;
        scanner.collecting = true;
        told.push(['open', name, ...attributesOf(attributes)]);
      },
      close: () => {
        depth -= 1;
        told.push(['close']);
        scanner.collecting = depth > 0;
      },
      text: (piece) => told.push(['text', piece]),
      leaf: (name, attributes, value, plain) => {
        told.push(['open', name, ...attributesOf(attributes)]);
        if (value !== '') told.push(['text', value]);
        told.push(['close']);
        expect(plain, value).toBe(value !== '' && value === value.replace(/\s+/g, ' ').trim());
      },
    },
    256,
  );
  const bytes = Buffer.from(text);
  try {
    for (let at = 0; at < bytes.length; at += chunk) scanner.write(bytes.subarray(at, at + chunk));
    scanner.settle();
    scanner.close();
    return { told: joined(told), fault: null };
  } catch (error) {
    if (!(error instanceof XmlFault)) throw error;
    return { told: joined(told), fault: error };
  }
}

function bySaxes(text: string): { told: Told[]; fault: string | null } {
  const told: Told[] = [];
  let depth = 0;
  const parser = new SaxesParser();
  parser.on('opentag', (tag) => {
    depth += 1;
    told.push(['open', tag.name, ...attributesOf(tag.attributes)]);
  });
  parser.on('closetag', () => {
    depth -= 1;
    told.push(['close']);
  });
  const text_ = (piece: string): void => {
    if (depth > 0 && piece !== '') told.push(['text', piece]);
  };
  parser.on('text', text_);
  parser.on('cdata', text_);
  try {
    parser.write(text).close();
    return { told: joined(told), fault: null };
  } catch (error) {
    return { told: joined(told), fault: error instanceof Error ? error.message : String(error) };
  }
}

/** Where the two differ by design, as saxes says it: several documents in one file are read one after another. */
const ALLOWED =
  /documents may contain only one root|text data outside of root|XML declaration|processing instruction/;

const FOLDER = join(import.meta.dirname, '../../../../shared/data/fixtures');
const present = existsSync(FOLDER);

describe.skipIf(!present)('real documents (skipped where the fixtures are absent)', () => {
  it('are told as saxes tells them, whatever the chunks', () => {
    const files = globSync(join(FOLDER, '*/*.xml')).sort();
    expect(files.length).toBe(167);
    for (const path of files) {
      const text = readFileSync(path, 'utf8').replace(/^\ufeff/, '');
      const expected = bySaxes(text);
      expect(expected.fault, path).toBeNull();
      for (const chunk of [1 << 20, 4099, 61]) {
        expect(scanned(text, chunk), path).toEqual(expected);
      }
    }
  });
});

describe('damaged documents', () => {
  it('are well-formed to both or to neither', () => {
    const { open, close, articles } = syntheticSet(3);
    const seed = Buffer.from(open + articles.next().value + articles.next().value + close);
    let sound = 0;
    let both = 0;
    for (let i = 0; i < 1500; i += 1) {
      const random = randomFrom(i);
      const text = mutated(seed, random)
        .toString('utf8')
        .replace(/^\ufeff/, '')
        .replace(/\ufeff/g, '');
      const expected = bySaxes(text);
      const found = scanned(text, 1 + Math.floor(random() * 5000));
      if (expected.fault !== null && found.fault === null) {
        expect(expected.fault, `mutation ${i}`).toMatch(ALLOWED);
        continue;
      }
      if (found.fault?.kind === 'entities') continue;
      expect([i, found.fault === null, found.fault?.message ?? '']).toEqual([
        i,
        expected.fault === null,
        found.fault?.message ?? '',
      ]);
      if (found.fault === null) {
        expect(found.told, `mutation ${i}`).toEqual(expected.told);
        sound += 1;
      }
      both += 1;
    }
    expect(sound).toBeGreaterThan(100);
    expect(both).toBeGreaterThan(1400);
  });
});

describe('the rules of XML', () => {
  const faults: [string, string, string][] = [
    ['a tag closed by another', '<a><b></a></b>', '</a> where </b> should be'],
    ['nothing open', '<a/></a>', 'where nothing is open'],
    ['an attribute twice', '<a b="1" b="2"/>', 'duplicate attribute: b'],
    ['no quotes', '<a b=1/>', 'not in quotes'],
    ['no value', '<a b/>', 'has no value'],
    ['no space between attributes', '<a b="1"c="2"/>', 'not followed by'],
    ['< in a value', '<a b="<"/>', 'a < in the value'],
    ['an unknown entity', '<a>&nbsp;</a>', 'undefined entity: &nbsp;'],
    ['a bare &', '<a>b & c</a>', 'begins no reference'],
    ['a bare &, far from any ;', `<a>b & ${'c'.repeat(100)};</a>`, 'begins no reference'],
    ['a character that XML has not, by number', '<a>&#1;</a>', 'no character of XML'],
    ['half a pair of surrogates', '<a>&#xD800;</a>', 'no character of XML'],
    ['a number beyond Unicode', '<a>&#x110000;</a>', 'no character of XML'],
    ['a control character', '<a>\u0001</a>', 'U+0001'],
    [']]> in a text', '<a>]]></a>', ']]> in a text'],
    ['-- in a comment', '<a><!-- -- --></a>', '-- inside a comment'],
    ['text before the root', 'x<a/>', 'outside of all elements'],
    ['CDATA outside', '<a/><![CDATA[x]]>', 'outside of all elements'],
    ['a declaration inside', '<a><?xml version="1.0"?></a>', 'inside an element'],
    ['a DOCTYPE inside', '<a><!DOCTYPE a></a>', 'DOCTYPE inside'],
    ['another <!', '<a><!ELEMENT a></a>', 'begins no comment'],
    ['a name that is none', '<1a/>', 'begins no tag'],
  ];
  it.each(faults)('%s is a fault', (_what, text, message) => {
    for (const chunk of [1, 1000]) {
      const { fault } = scanned(text, chunk);
      expect(fault?.kind).toBe('malformed');
      expect(fault?.message).toContain(message);
    }
    expect(bySaxes(text).fault).not.toBeNull();
  });

  it('names the line', () => {
    expect(scanned('<a>\n<b>\r\n</b>\r</c>', 3).fault?.line).toBe(4);
    expect(scanned('<a>\n\n&x;</a>', 100).fault?.line).toBe(3);
  });

  it('reads one document after another', () => {
    const { told, fault } = scanned(
      '<?xml version="1.0"?><a>1</a>\n<?xml version="1.0"?><!DOCTYPE a><a>2</a>',
      7,
    );
    expect(fault).toBeNull();
    expect(told.filter(([what]) => what === 'text')).toEqual([
      ['text', '1'],
      ['text', '2'],
    ]);
  });

  it('is not slower for a tag or text that comes in many chunks', () => {
    const long = `<a b="${'>'.repeat(300_000)}">${'x'.repeat(300_000)}</a>`;
    const { told, fault } = scanned(long, 1000);
    expect([fault, told.length, told[1]?.[1]?.length]).toEqual([null, 3, 300_000]);
  });
});
