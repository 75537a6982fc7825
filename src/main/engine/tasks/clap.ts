import type { TaskSpecs } from '../../../shared/domain/index.ts';
import { CLAP_TABLES } from '../../../shared/published/index.ts';
import type { TaskTools } from './tools.ts';
import type { Draft, Draw } from './types.ts';

interface Question {
  /** Cluster: the study asks one question twice. */
  readonly item: string;
  readonly question: string;
  readonly right: string;
  readonly wrong: string;
  readonly type: string;
}

/** The three questions of the study with their answers (its Tables 3, 4 and 5); Tables 3 and 5 ask the same one. */
export const PUBLISHED: readonly (Question & { readonly table: number })[] = CLAP_TABLES;

/** Target phrases of the study's public script, read as bare text, for whichever question. */
export const SCRIPT_TARGETS = {
  right: 'interictal epileptiform discharges',
  wrong: 'intracranial electrode diagnostics',
};

type Targets = TaskSpecs['clap']['targets'];
type Answers = Pick<Draft, 'answer' | 'wrong'>;

/** Answer sets, one row per choice. */
const TARGETS: Readonly<Record<Targets, (question: Question, tools: TaskTools) => Answers>> = {
  published: () => ({ answer: [SCRIPT_TARGETS.right], wrong: [SCRIPT_TARGETS.wrong] }),
  answers: ({ right, wrong }) => ({ answer: [` ${right}`], wrong: [` ${wrong}`] }),
  disjoint: ({ right, wrong }, tools) => ({
    answer: onlyIn(right, wrong, tools),
    wrong: onlyIn(wrong, right, tools),
  }),
};

/** The words of one answer, as they stand in text, whose tokens the other answer does not hold. */
function onlyIn(text: string, other: string, tools: TaskTools): string[] {
  const held = new Set(tools.inside(` ${other}`));
  const words = text.replace(/[.,;:?!]/gu, '').split(/\s+/);
  const own = words.filter((word) => tools.inside(` ${word}`).every((id) => !held.has(id)));
  return [...new Set(own)].map((word) => ` ${word}`);
}

/**
 * Question–answer pairs as the CLAP study builds them: clean is the question, a space and the right answer,
 * corrupted the same with the wrong one. In the order given, without draws.
 */
export function clap(spec: TaskSpecs['clap'], tools: TaskTools): Draw {
  const own = spec.questions.map((q) => ({ ...q, item: `clap-${q.question}` }));
  const rest: Question[] = own.length > 0 ? own : [...PUBLISHED];
  return () => {
    for (let q = rest.shift(); q !== undefined; q = rest.shift()) {
      const { answer, wrong } = TARGETS[spec.targets](q, tools);
      if (answer.length === 0 || wrong.length === 0) {
        tools.drops.add('answers without tokens of their own', q.question);
        continue;
      }
      return {
        clean: [
          ['QUESTION', q.question],
          ['ANSWER', ` ${q.right}`],
        ],
        corrupted: [
          ['QUESTION', q.question],
          ['ANSWER', ` ${q.wrong}`],
        ],
        answer,
        wrong,
        mode: 'bag',
        singleAnswers: false,
        key: ['ANSWER'],
        item: q.item,
        type: spec.type === '' ? q.type : spec.type,
        keepUnequal: spec.keepUnequal,
        // The study asks one question twice: two rows of one item.
        repeats: own.length === 0,
        ...(spec.read === 'last' ? {} : { read: spec.read }),
      };
    }
    return null;
  };
}
