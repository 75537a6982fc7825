import type { PairLine, TaskSpecs } from '../../../shared/domain/index.ts';
import { UserInputError } from '../../../shared/errors/index.ts';
import { fill, slotNames, textOf } from './prompt.ts';
import type { TaskTools } from './tools.ts';
import type { Draft, Draw } from './types.ts';
import { RELATIONS, type Relation } from './words/facts.ts';

/** A relation as it is drawn from: the slots beside {subject} hold the same terms in both prompts. */
interface FactSource extends Relation {
  readonly name: string;
  readonly slots: Readonly<Record<string, readonly string[]>>;
}

interface FactOptions {
  readonly mode: PairLine['answer_mode'];
  readonly singleAnswers: boolean;
  readonly bothWays: boolean;
  readonly type: string;
}

type Entry = Relation['entries'][number];

/** Factual recall: two subjects of one relation with as many tokens and different answers. */
export function factual(spec: TaskSpecs['factual'], tools: TaskTools): Draw {
  const sources = spec.relations.map((name) => ({ name, slots: {}, ...RELATIONS[name] }));
  return drawFacts(
    sources,
    { mode: 'bag', singleAnswers: true, bothWays: spec.bothWays, type: spec.type },
    tools,
  );
}

/**
 * A template of the user's. Throws UserInputError `TASK_SLOT` where it has no {subject} or a slot without
 * terms.
 */
export function template(spec: TaskSpecs['template'], tools: TaskTools): Draw {
  const names = slotNames(spec.template);
  const missing = names.includes('subject')
    ? names.find((name) => name !== 'subject' && spec.slots[name] === undefined)
    : 'subject';
  if (missing !== undefined) {
    throw new UserInputError(
      'TASK_SLOT',
      missing === 'subject'
        ? 'The template has no {subject}, which is what the corrupted prompt changes.'
        : `The slot {${missing}} of the template has no terms.`,
      'Write {subject} where the prompts differ, and give each other slot its terms.',
    );
  }
  const source = { name: 'template', template: spec.template, entries: spec.subjects, slots: spec.slots };
  const drop = spec.longAnswers === 'drop';
  const mode = spec.longAnswers === 'drop' ? 'bag' : spec.longAnswers;
  return drawFacts([source], { mode, singleAnswers: drop, bothWays: spec.bothWays, type: spec.type }, tools);
}

/** Draws two entries of equal length; the copies of one pair of entries in other slots are of one item. */
function drawFacts(sources: readonly FactSource[], options: FactOptions, tools: TaskTools): Draw {
  const groups = sources.flatMap((source) =>
    equalGroups(source, options, tools).map((group) => ({ source, group })),
  );
  return () => {
    if (groups.length === 0) return null;
    const { source, group } = tools.pick(groups);
    const entry = tools.pick(group);
    const other = tools.pick(group.filter((e) => differs(e, entry)));
    const slots = Object.fromEntries(
      Object.entries(source.slots).map(([name, terms]) => [name, tools.pick(terms)]),
    );
    const prompt = ({ term }: Entry) => fill(source.template, { ...slots, subject: ['SUBJECT', term] });
    const make = (clean: Entry, corrupted: Entry): Omit<Draft, 'reverse'> => ({
      clean: prompt(clean),
      corrupted: prompt(corrupted),
      answer: [` ${clean.answer}`],
      wrong: [` ${corrupted.answer}`],
      mode: options.mode,
      singleAnswers: options.singleAnswers,
      key: ['SUBJECT'],
      item: `${source.name}: ${[entry.term, other.term].toSorted().join(' / ')}`,
      type: options.type,
    });
    return { ...make(entry, other), ...(options.bothWays ? { reverse: make(other, entry) } : {}) };
  };
}

const differs = (a: Entry, b: Entry): boolean => a.term !== b.term && a.answer !== b.answer;

/** Entries whose prompts have equally many tokens; those without a partner are counted as dropped. */
function equalGroups(source: FactSource, { singleAnswers }: FactOptions, tools: TaskTools): Entry[][] {
  const first = Object.fromEntries(
    Object.entries(source.slots).map(([name, terms]) => [name, terms[0] ?? '']),
  );
  const scored = source.entries.filter((entry) => {
    const fits = !singleAnswers || tools.isSingle(` ${entry.answer}`);
    if (!fits) tools.drops.add('answers of several tokens', entry.answer);
    return fits;
  });
  const groups = Map.groupBy(
    scored,
    ({ term }) => tools.encode(textOf(fill(source.template, { ...first, subject: term }))).length,
  );
  return [...groups.values()].flatMap((group) => {
    const paired = group.filter((entry) => group.some((other) => differs(entry, other)));
    for (const { term } of group.filter((entry) => !paired.includes(entry))) {
      tools.drops.add('subjects without another of as many tokens and another answer', term);
    }
    return paired.length === 0 ? [] : [paired];
  });
}
