import { describe, expect, it } from 'vitest';
import { XmlFault } from '../../../src/main/importers/xml/fault.ts';
import { passedEnd } from '../../../src/main/importers/xml/passed.ts';
import { XmlScanner } from '../../../src/main/importers/xml/scanner.ts';
import { syntheticSet } from '../../bench/synthetic-pubmed.ts';
import { mutated, randomFrom } from '../../support/mutate.ts';

/** The fault of a document, with its line, and how many tags were told; `passing`: plain elements are passed at once. */
function read(text: string, passing: boolean): { fault: string | null; opened: number } {
  let opened = 0;
  const scanner = new XmlScanner({
    open: () => (opened += 1),
    close: () => undefined,
    text: () => undefined,
  });
  scanner.passing = passing;
  try {
    for (let at = 0; at < text.length; at += 3000) scanner.write(text.slice(at, at + 3000));
    scanner.close();
    return { fault: null, opened };
  } catch (error) {
    if (!(error instanceof XmlFault)) throw error;
    return { fault: `${error.kind}, line ${error.line}: ${error.message}`, opened };
  }
}

const { articles, open, close } = syntheticSet(3);
const document = `${open}${articles.next().value}${articles.next().value}${close}`;

describe('elements that are passed at once', () => {
  it('are most of a document', () => {
    const all = read(document, false);
    const few = read(document, true);
    expect([all.fault, few.fault]).toEqual([null, null]);
    expect(few.opened).toBeLessThan(all.opened / 3);
  });

  it('have the faults, on the lines, that they have tag by tag', () => {
    const random = randomFrom(11);
    const seed = Buffer.from(document);
    let faults = 0;
    for (let i = 0; i < 1500; i += 1) {
      const text = mutated(seed, random).toString('utf8');
      const { fault } = read(text, false);
      if (fault !== null) faults += 1;
      expect(read(text, true).fault).toBe(fault);
    }
    expect(faults).toBeGreaterThan(300);
  });

  it.each([
    ['<a>x</a><b/>', 8],
    ['<a><b c="1">x</b></a>.', 21],
    ['<a>1 &lt; 2</a>', 15],
    ['<a>&unknown;</a>', 0],
    ['<a><b>x</a></b>', 0],
    ['<a b="1" b="2">x</a>', 0],
    ['<a><![CDATA[</a>]]></a>', 0],
    ['<a>x</a', 0],
  ])('%s: up to %i', (text, end) => {
    expect(passedEnd(text, 0)).toBe(end);
  });
});
