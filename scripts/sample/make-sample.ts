/**
 * Writes the bundled sample study to resources/sample: `node scripts/sample/make-sample.ts [FOLDER]`.
 * The same sources give the same bytes.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { gzipSync } from 'fflate';
import { trainBpe, writeTokenizerFiles } from '../../src/main/models/bpe-train.ts';
import { openTokenizer } from '../../src/main/models/tokenizer.ts';
import { sampleCsv } from './csv.ts';
import { CENTRES, SYNDROMES } from './facts.ts';
import { samplePairs } from './pairs.ts';
import { pubmedXml } from './pubmed-xml.ts';
import { abstractText, RecordMaker, type SampleRecord } from './records.ts';

const SEED = 20_260_101;
const XML_RECORDS = 348;
const CSV_RECORDS = 36;
const VOCABULARY = 1024;
const CONTEXT = 128;
/** PubMed has not assigned numbers this high. */
const FIRST_XML_PMID = 99_000_001;
const FIRST_CSV_PMID = 99_500_001;

const folder = resolve(process.argv[2] ?? join(import.meta.dirname, '../../resources/sample'));
const fromXml = draw(SEED, FIRST_XML_PMID, XML_RECORDS);
const fromCsv = draw(SEED + 1, FIRST_CSV_PMID, CSV_RECORDS);
await mkdir(folder, { recursive: true });
await writeFile(join(folder, 'synthetic-abstracts.xml.gz'), compressed(pubmedXml(withCuriosities(fromXml))));
await writeFile(join(folder, 'synthetic-abstracts.csv'), sampleCsv(withAwkwardRows(fromCsv)));

const tokenizerFolder = join(folder, 'tokenizer');
const texts = fromXml.map((record) => `${record.title}\n\n${abstractText(record)}`);
await writeTokenizerFiles(tokenizerFolder, trainBpe(texts, VOCABULARY), CONTEXT);
const tokenizer = await openTokenizer(tokenizerFolder);
if (tokenizer === null) throw new Error('the tokenizer that was just written is not there');

const facts = [
  ...SYNDROMES.flatMap(({ name, region, drug, eeg }) => [name, region, drug, eeg]),
  ...CENTRES.flatMap(({ town, country }) => [town, country]),
];
for (const word of facts) {
  if (tokenizer.encode(` ${word}`).length !== 1) throw new Error(`“${word}” is not one token`);
}
const lengths = texts.map((text) => tokenizer.encode(text).length);
const pairs = samplePairs(tokenizer);
await writeFile(join(folder, 'pairs.jsonl'), pairs.map((pair) => `${JSON.stringify(pair)}\n`).join(''));
console.log(
  `${fromXml.length} + ${fromCsv.length} records, ${tokenizer.vocabSize} tokens, ${pairs.length} pairs; ` +
    `texts of ${Math.min(...lengths)} to ${Math.max(...lengths)} tokens, ${lengths.reduce((a, b) => a + b)} in all`,
);

function draw(seed: number, firstPmid: number, count: number): SampleRecord[] {
  const maker = new RecordMaker(seed, firstPmid);
  return Array.from({ length: count }, (_, i) => maker.make(i));
}

/**
 * What a real download holds too: the same article twice, one twice under two numbers, one that was
 * retracted, one without an abstract.
 */
function withCuriosities(records: readonly SampleRecord[]): SampleRecord[] {
  const at = (index: number): SampleRecord => {
    const record = records[index];
    if (record === undefined) throw new RangeError(`no record ${index}`);
    return record;
  };
  return [
    ...records,
    at(10),
    { ...at(25), pmid: '99000901' },
    { ...at(40), pmid: '99000902' },
    {
      ...at(55),
      pmid: '99000903',
      title: `${at(55).title} (retracted)`,
      retracted: true,
      sections: withSentence(at(55)),
    },
    { ...at(70), pmid: '99000904', title: `${at(70).title}: editorial`, sections: [] },
  ];
}

/** A text of its own, so that the retracted article is no copy of another. */
function withSentence({ sections }: SampleRecord): SampleRecord['sections'] {
  return sections.map((section, i) =>
    i === sections.length - 1
      ? { ...section, text: `${section.text} This article has been retracted.` }
      : section,
  );
}

/** A title with quotes and commas, a row without an abstract, and one that the XML file has too. */
function withAwkwardRows(records: readonly SampleRecord[]): SampleRecord[] {
  const [first, ...rest] = records;
  const [known] = fromXml;
  if (first === undefined || known === undefined) throw new RangeError('too few records');
  return [
    { ...first, title: `"Synthetic", quoted, with commas: ${first.title}` },
    ...rest,
    { ...first, pmid: '99500901', sections: [] },
    known,
  ];
}

/** Gzip without the time of writing, so that the bytes are the same every time. */
function compressed(text: string): Uint8Array {
  return gzipSync(new TextEncoder().encode(text), { level: 9, mtime: 0 });
}
