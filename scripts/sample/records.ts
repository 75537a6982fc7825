import { Mt19937 } from '../../src/main/engine/random/index.ts';
import { CENTRES, SYNDROMES, type Centre, type Syndrome } from './facts.ts';
import * as text from './sentences.ts';

export interface Section {
  /** Null for an abstract in one piece. */
  readonly label: string | null;
  readonly nlmCategory: string | null;
  readonly text: string;
}

/** One invented article. */
export interface SampleRecord {
  readonly pmid: string;
  readonly title: string;
  readonly sections: readonly Section[];
  readonly year: number;
  readonly month: string;
  readonly authors: readonly { readonly last: string; readonly fore: string }[];
  readonly town: string;
  readonly country: string;
  readonly keywords: readonly string[];
  readonly review: boolean;
  readonly retracted: boolean;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;
const LAST_NAMES = [
  'Invention',
  'Example',
  'Sample',
  'Template',
  'Placebo',
  'Fiction',
  'Pattern',
  'Mock',
] as const;
const FORE_NAMES = ['Ada', 'Bo', 'Cleo', 'Dag', 'Eve', 'Finn', 'Gia', 'Hal'] as const;
const FACT_KINDS = ['region', 'eeg', 'drug'] as const;
/** Shares of titles that state a result, and of abstracts with labelled sections. */
const DECLARATIVE = 0.5;
const STRUCTURED = 0.3;

/** Draws invented articles; the same seed and calls give the same ones. */
export class RecordMaker {
  readonly #random: Mt19937;
  #next: number;

  /** `firstPmid`: an eight-digit number from 99,000,000 on, which PubMed has not assigned. */
  constructor(seed: number, firstPmid: number) {
    this.#random = new Mt19937(seed);
    this.#next = firstPmid;
  }

  /** The next article, about the `index`-th syndrome (counted round). */
  make(index: number): SampleRecord {
    const syndrome = SYNDROMES[index % SYNDROMES.length] ?? this.#pick(SYNDROMES);
    const centre = this.#pick(CENTRES);
    const title = this.#title(syndrome);
    const first = this.#random.interval(LAST_NAMES.length - 1);
    return {
      pmid: String(this.#next++),
      title,
      sections: this.#sections(syndrome, centre),
      year: 2014 + this.#random.interval(10),
      month: this.#pick(MONTHS),
      authors: [0, 1, 2].map((i) => ({
        last: LAST_NAMES[(first + i) % LAST_NAMES.length] ?? '',
        fore: this.#pick(FORE_NAMES),
      })),
      ...centre,
      keywords: ['synthetic', `${syndrome.name} syndrome`, 'epilepsy', 'EEG'],
      review: title.endsWith('review'),
      retracted: false,
    };
  }

  /** Often the main result, as many journals want it, else the topic. */
  #title(syndrome: Syndrome): string {
    if (this.#random.double() >= DECLARATIVE) return text.fill(this.#pick(text.TITLES), { ...syndrome });
    const result = this.#fact(this.#pick(FACT_KINDS), syndrome);
    return `${result.replace(/\.$/, '')}: a synthetic study`;
  }

  #methods(centre: Centre): string {
    const count = text.fill(this.#pick(text.METHODS), { n: String(12 + this.#random.interval(80)) });
    return `${count} ${text.fill(this.#pick(text.FACTS.country), { ...centre })}`;
  }

  #fact(kind: (typeof FACT_KINDS)[number], syndrome: Syndrome): string {
    return text.fill(this.#pick(text.FACTS[kind]), { ...syndrome });
  }

  #sections(syndrome: Syndrome, centre: Centre): Section[] {
    const say = (templates: readonly string[]): string => text.fill(this.#pick(templates), { ...syndrome });
    const facts = this.#shuffled(FACT_KINDS).map((kind) => this.#fact(kind, syndrome));
    const parts: readonly (readonly [string, string])[] = [
      ['BACKGROUND', say(text.BACKGROUND)],
      ['METHODS', this.#methods(centre)],
      ['RESULTS', [...facts, this.#pick(text.FILLERS)].join(' ')],
      ['CONCLUSIONS', say(text.CONCLUSIONS)],
    ];
    return this.#random.double() < STRUCTURED
      ? parts.map(([label, body]) => ({ label, nlmCategory: label, text: body }))
      : [{ label: null, nlmCategory: null, text: parts.map(([, body]) => body).join(' ') }];
  }

  #shuffled<T>(values: readonly T[]): T[] {
    return [...this.#random.permutation(values.length)]
      .map((i) => values[i])
      .filter((value) => value !== undefined);
  }

  #pick<T>(values: readonly T[]): T {
    const value = values[this.#random.interval(values.length - 1)];
    if (value === undefined) throw new RangeError('nothing to choose from');
    return value;
  }
}

/** The abstract as one text, sections as `LABEL: text`, one a line. */
export function abstractText(record: SampleRecord): string {
  return record.sections
    .map(({ label, text: body }) => (label === null ? body : `${label}: ${body}`))
    .join('\n');
}
