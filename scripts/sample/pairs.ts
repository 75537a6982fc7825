import { PairLine } from '../../src/shared/domain/index.ts';
import type { TextTokenizer } from '../../src/main/models/types.ts';
import { CENTRES, SYNDROMES } from './facts.ts';
import { FACTS, fill, type Relation } from './sentences.ts';

/** The shape of every prompt, in tokens. */
const SUBJECT_AT = 2;
const LAST_AT = 6;

/** Something with a name and facts. */
type Entity = Readonly<Record<string, string>>;

interface PairKind {
  readonly relation: Relation;
  readonly type: 'definitional' | 'associative' | 'control';
  /** Which wording of `FACTS` is asked: all have their subject third and end at the seventh token. */
  readonly wording: number;
  readonly entities: readonly Entity[];
  /** The value that differs between the prompts. */
  readonly subject: 'name' | 'town';
}

const syndromes: readonly Entity[] = SYNDROMES.map((syndrome) => ({ ...syndrome }));
const centres: readonly Entity[] = CENTRES.map((centre) => ({ ...centre }));

const KINDS: readonly PairKind[] = [
  { relation: 'region', type: 'definitional', wording: 0, entities: syndromes, subject: 'name' },
  { relation: 'drug', type: 'associative', wording: 1, entities: syndromes, subject: 'name' },
  { relation: 'eeg', type: 'associative', wording: 1, entities: syndromes, subject: 'name' },
  { relation: 'country', type: 'control', wording: 1, entities: centres, subject: 'town' },
];

/**
 * Prompt pairs by symmetric token replacement: neighbours in the list of entities ask for each other's fact,
 * each as the clean prompt once; the two directions are one item. All prompts share one shape (subject at
 * position 2, last token at 6), so that a mean over pairs at a position is a mean over the same thing.
 * Throws RangeError where a prompt has another shape, or an answer is not a single token.
 */
export function samplePairs(tokenizer: TextTokenizer): PairLine[] {
  return KINDS.flatMap((kind) =>
    couples(kind.entities).flatMap(([a, b]) => {
      const wording = FACTS[kind.relation][kind.wording] ?? '';
      return [makePair(kind, wording, a, b, tokenizer), makePair(kind, wording, b, a, tokenizer)];
    }),
  );
}

/** First with second, third with fourth … */
function couples(entities: readonly Entity[]): [Entity, Entity][] {
  return entities.flatMap((entity, i): [Entity, Entity][] => {
    const other = entities[i + 1];
    return i % 2 === 0 && other !== undefined ? [[entity, other]] : [];
  });
}

function makePair(
  kind: PairKind,
  wording: string,
  right: Entity,
  wrong: Entity,
  tokenizer: TextTokenizer,
): PairLine {
  const { relation, subject, type } = kind;
  const names = [right[subject] ?? '', wrong[subject] ?? ''] as const;
  const prompt = (entity: Entity): string =>
    fill(wording.slice(0, wording.indexOf(` {${relation}}`)), entity);
  const [clean, corrupted] = [prompt(right), prompt(wrong)];
  const [answer, other] = [` ${right[relation] ?? ''}`, ` ${wrong[relation] ?? ''}`];
  const id = `${relation}-${names[0]}-${names[1]}`.toLowerCase();
  const spans = checkedSpans(id, subject, tokenizer, [clean, corrupted], [answer, other]);
  return PairLine.parse({
    id,
    clean,
    corrupted,
    answer: [answer],
    wrong: [other],
    type,
    item: `${relation}-${[...names].sort().join('-')}`.toLowerCase(),
    key: subject === 'name' ? 'syndrome' : 'town',
    spans: { clean: spans, corrupted: spans },
  });
}

/** The spans that both prompts share: the replaced token, what stands before and after it, the last token. */
function checkedSpans(
  id: string,
  subject: PairKind['subject'],
  tokenizer: TextTokenizer,
  prompts: readonly [string, string],
  answers: readonly [string, string],
): Record<string, [number, number]> {
  const [clean, corrupted] = [tokenizer.encode(prompts[0]), tokenizer.encode(prompts[1])];
  const differing = clean.flatMap((token, i) => (token === corrupted[i] ? [] : [i]));
  const [at] = differing;
  if (clean.length !== corrupted.length || differing.length !== 1 || at === undefined) {
    throw new RangeError(`${id}: the prompts must be of equal length and differ in one token`);
  }
  if (answers.some((answer) => tokenizer.encode(answer).length !== 1) || answers[0] === answers[1]) {
    throw new RangeError(`${id}: the answers must be two different single tokens`);
  }
  const last = clean.length - 1;
  if (at !== SUBJECT_AT || last !== LAST_AT) {
    throw new RangeError(`${id}: the subject is token ${at} and the last is ${last}`);
  }
  return {
    before: [0, at],
    [subject === 'name' ? 'syndrome' : 'town']: [at, at + 1],
    after: [at + 1, last],
    end: [last, last + 1],
  };
}
