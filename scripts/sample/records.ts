import { Mt19937 } from '../../src/main/engine/random/index.ts';
import { CENTRES, SYNDROMES, type Syndrome } from './facts.ts';
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
/** Share of abstracts that set two syndromes against each other. */
const COMPARED = 0.7;
const STRUCTURED = 0.4;

/** Draws invented articles; the same seed and calls give the same ones. */
export class RecordMaker {
  readonly #random: Mt19937;
  #next: number;

  /** `firstPmid`: an eight-digit number from 99,000,000 on, which PubMed has not assigned. */
  constructor(seed: number, firstPmid: number) {
    this.#random = new Mt19937(seed);
    this.#next = firstPmid;
  }

  /** An article about the `index`-th syndrome, counted round. */
  make(index: number): SampleRecord {
    const syndrome = SYNDROMES[index % SYNDROMES.length] ?? this.#pick(SYNDROMES);
    const others = SYNDROMES.filter(({ name }) => name !== syndrome.name);
    const other = this.#random.double() < COMPARED ? this.#pick(others) : null;
    const centre = this.#pick(CENTRES);
    const title = other === null ? this.#pick(text.TITLES) : this.#pick(text.COMPARISON_TITLES);
    const first = this.#random.interval(LAST_NAMES.length - 1);
    return {
      pmid: String(this.#next++),
      title: text.fill(title, { name: syndrome.name, other: other?.name ?? '' }),
      sections: this.#abstract(syndrome, other, { ...centre }),
      year: 2014 + this.#random.interval(10),
      month: this.#pick(MONTHS),
      authors: [0, 1, 2].map((i) => ({
        last: LAST_NAMES[(first + i) % LAST_NAMES.length] ?? '',
        fore: this.#pick(FORE_NAMES),
      })),
      ...centre,
      keywords: [
        'synthetic',
        `${syndrome.name} syndrome`,
        ...(other === null ? [] : [`${other.name} syndrome`]),
        'epilepsy',
        'EEG',
      ],
      review: title.includes('review'),
      retracted: false,
    };
  }

  #abstract(syndrome: Syndrome, other: Syndrome | null, centre: Readonly<Record<string, string>>): Section[] {
    const values = { ...syndrome, ...centre };
    const say = (templates: readonly string[]): string => text.fill(this.#pick(templates), values);
    const order = [...this.#random.permutation(3)].map((i) => FACT_KINDS[i] ?? 'region');
    const facts = order.map((kind) => say(text.FACTS[kind]));
    const contrast =
      other === null ? [] : order.map((kind) => text.fill(this.#pick(text.FACTS[kind]), { ...other }));
    const again = this.#pick(FACT_KINDS);
    const background = [say(text.BACKGROUND)];
    const methods = [
      text.fill(this.#pick(text.METHODS), { n: String(12 + this.#random.interval(80)) }),
      say(text.FACTS.country),
    ];
    const results = [...facts, ...contrast, ...(other === null ? [this.#pick(text.FILLERS)] : [])];
    const conclusions = [say(text.CONCLUSIONS), ...(other === null ? [say(text.FACTS[again])] : [])];
    const structured = this.#random.double() < STRUCTURED;
    const parts: [string, string[]][] = [
      ['BACKGROUND', background],
      ['METHODS', methods],
      ['RESULTS', results],
      ['CONCLUSIONS', conclusions],
    ];
    return structured
      ? parts.map(([label, sentences]) => ({ label, nlmCategory: label, text: sentences.join(' ') }))
      : [{ label: null, nlmCategory: null, text: parts.flatMap(([, sentences]) => sentences).join(' ') }];
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
