/** Seeded damage to bytes, for tests that must hold for any input. */

/** Numbers that look random and are the same everywhere (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** What parsers stumble over. */
const TOKENS = [
  '<',
  '>',
  '&',
  '"',
  "'",
  '</',
  '/>',
  '<!--',
  '-->',
  '--',
  '<![CDATA[',
  ']]>',
  '<?xml version="1.0"?>',
  '<?',
  '?>',
  '<!DOCTYPE a [<!ENTITY x "y">]>',
  '&lt;',
  '&#0;',
  '&#x10FFFF;',
  '&#xD800;',
  '&nbsp;',
  '&amp',
  '\0',
  '\u0001',
  '\ufeff',
  '\ufffe',
  '\r',
  '\r\n',
  '\n\n',
  '\t',
  ';',
  ',',
  '""',
  '=1+1',
  'PMID- ',
  'TY  - JOUR',
  'ER  - ',
  'AB  - ',
  '      ',
  '{',
  '}',
  '[',
  ']',
  'null',
  '1e999',
  '\\u0000',
  '\\ud800',
  '-1',
  '99999999999999999999',
  '<PubmedArticle>',
  '</PubmedArticle>',
  '<PMID Version="0">',
  '<Year>99999</Year>',
  '<sub>',
  '</sup>',
  '__proto__',
  'constructor',
  'é',
  '😀',
  '\u2028',
];

type Mutation = (bytes: Buffer, random: () => number) => Buffer;
const place = (bytes: Buffer, random: () => number) => Math.floor(random() * (bytes.length + 1));
const spliced = (bytes: Buffer, at: number, gone: number, put: Uint8Array): Buffer =>
  Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + gone)]);

const MUTATIONS: readonly Mutation[] = [
  (bytes, random) => spliced(bytes, place(bytes, random), 1, Buffer.from([Math.floor(random() * 256)])),
  (bytes, random) => spliced(bytes, place(bytes, random), Math.ceil(random() * 8), Buffer.alloc(0)),
  (bytes, random) => spliced(bytes, place(bytes, random), Math.ceil(random() * 2000), Buffer.alloc(0)),
  (bytes, random) => bytes.subarray(0, place(bytes, random)),
  (bytes, random) => bytes.subarray(place(bytes, random)),
  (bytes, random) => {
    const from = place(bytes, random);
    return spliced(bytes, place(bytes, random), 0, bytes.subarray(from, from + Math.ceil(random() * 3000)));
  },
  ...Array.from({ length: 6 }, (): Mutation => (bytes, random) => {
    const token = Buffer.from(TOKENS[Math.floor(random() * TOKENS.length)] ?? '');
    return spliced(bytes, place(bytes, random), random() < 0.5 ? 0 : token.length, token);
  }),
  (bytes, random) =>
    spliced(
      bytes,
      place(bytes, random),
      0,
      Buffer.alloc(Math.ceil(random() * 5000), random() < 0.5 ? 0x20 : 0x41),
    ),
  (bytes) => Buffer.from(bytes.toString('utf8').slice(0, 100_000), 'utf16le'),
  (bytes) => Buffer.from(bytes.toString('utf8').replaceAll('\n', '\r')),
];

/** One to six mutations of a seed. */
export function mutated(seed: Uint8Array, random: () => number): Buffer {
  let bytes = Buffer.from(seed);
  const rounds = 1 + Math.floor(random() * 6);
  for (let i = 0; i < rounds; i += 1) {
    const mutation = MUTATIONS[Math.floor(random() * MUTATIONS.length)];
    if (mutation !== undefined) bytes = Buffer.from(mutation(bytes, random));
  }
  return bytes;
}
