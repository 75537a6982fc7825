import { describe, expect, it } from 'vitest';
import { XmlFault } from '../../../src/main/importers/xml/fault.ts';
import { XmlScanner } from '../../../src/main/importers/xml/scanner.ts';
import { syntheticSet } from '../../bench/synthetic-pubmed.ts';
import { mutated, randomFrom } from '../../support/mutate.ts';

/** The fault of a document, with its line, and what was told of it; `skipping`: nothing of `skip` is to be told. */
function read(bytes: Uint8Array, skip = '', pausing = false): { fault: string | null; told: string[] } {
  const told: string[] = [];
  const scanner = new XmlScanner(
    {
      open: (name) => {
        told.push(name);
        if (name === skip) scanner.skip();
        if (pausing) scanner.pause();
      },
      close: () => {
        told.push('/');
        if (pausing) scanner.pause();
      },
      text: (text) => told.push(text),
      leaf: (name, _attributes, text) => told.push(name, text),
    },
    64,
  );
  scanner.collecting = true;
  // With pauses, as often as there may be some.
  const goOn = (): void => {
    for (let before = -1; pausing && before !== scanner.position;) {
      before = scanner.position;
      scanner.go();
    }
  };
  try {
    for (let at = 0; at < bytes.length; at += 3000) {
      scanner.write(bytes.subarray(at, at + 3000));
      goOn();
    }
    scanner.settle();
    goOn();
    scanner.close();
    return { fault: null, told };
  } catch (error) {
    if (!(error instanceof XmlFault)) throw error;
    return { fault: `${error.kind}, line ${error.line}: ${error.message}`, told };
  }
}

const { articles, open, close } = syntheticSet(3);
const document = Buffer.from(`${open}${articles.next().value}${articles.next().value}${close}`);

describe('elements of which nothing is told', () => {
  it('are told to end, and what follows them is told', () => {
    const { fault, told } = read(Buffer.from('<a><b>1<c><b/>2</c>3</b><d>4</d>5</a>'), 'b');
    expect([fault, told]).toEqual([null, ['a', 'b', '/', 'd', '4', '5', '/']]);
  });

  it('have the faults, on the lines, that they have when they are told', () => {
    const random = randomFrom(11);
    let faults = 0;
    for (let i = 0; i < 1500; i += 1) {
      const bytes = mutated(document, random);
      const { fault } = read(bytes);
      if (fault !== null) faults += 1;
      expect(read(bytes, 'ReferenceList').fault, `mutation ${i}`).toBe(fault);
    }
    expect(faults).toBeGreaterThan(300);
  });
});

describe('a scanner that is paused', () => {
  it('tells the same as one that is not', () => {
    const random = randomFrom(12);
    for (let i = 0; i < 200; i += 1) {
      const bytes = i === 0 ? document : mutated(document, random);
      const whole = read(bytes);
      const paused = read(bytes, '', true);
      // Where one text ends and the next begins may differ; nothing else.
      expect([paused.fault, paused.told.join('')], `mutation ${i}`).toEqual([
        whole.fault,
        whole.told.join(''),
      ]);
    }
  });
});
