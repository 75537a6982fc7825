import type { TaskSpecs } from '../../../shared/domain/index.ts';
import type { TaskTools } from './tools.ts';
import type { Draft, Draw, Piece } from './types.ts';

/** Argument names; each is checked against the tokenizer. */
const ARGUMENTS: readonly string[] =
  `load size file path name value key index count limit offset start end width height depth color label title
text image order level type state mode option source target input output request response message user group
date time year code line shape field table column row node parent child root list item result error status
version format token model client server host port address`.split(/\s+/);

const FUNCTIONS: readonly string[] = [
  'update',
  'create',
  'read',
  'write',
  'check',
  'build',
  'render',
  'send',
];

/** Words of the summary and of each description; the same in both prompts, so of any number of tokens. */
const WORDS: readonly string[] =
  'kitchen garden river winter summer paper window market bridge silver morning village music letter harbor'.split(
    ' ',
  );

/** Roles of the six arguments: two fillers, the three that are described in order, one filler. */
const ROLES = ['F1', 'F2', 'A', 'B', 'C', 'F3'] as const;

/**
 * Docstring completion (Heimersheim & Janiak 2023): a definition of six arguments after `self`, of which the
 * docstring describes A and B; the answer is C. Corrupted: another argument in the place of C, which is then
 * its answer (`definition`), or other names for A and B in the docstring (`docstring`).
 */
export function docstring(spec: TaskSpecs['docstring'], tools: TaskTools): Draw {
  const names = tools.singles('argument names', spec.names.length > 0 ? spec.names : ARGUMENTS, 9);
  let drawn = 0;
  return () => {
    drawn += 1;
    const chosen = tools.sample(names, 9);
    const args = chosen.slice(0, 6);
    const [other = '', d1 = '', d2 = ''] = chosen.slice(6);
    const [, , a = '', b = '', c = ''] = args;
    const head = { name: tools.pick(FUNCTIONS), words: tools.sample(WORDS, 7) };
    const changed = args.map((name, i) => (ROLES[i] === 'C' ? other : name));
    const make = (own: readonly string[], its: readonly string[], answer: string, wrong: string[]) =>
      ({
        clean: code(head, own, [a, b]),
        corrupted: spec.corruption === 'definition' ? code(head, its, [a, b]) : code(head, own, [d1, d2]),
        answer: [` ${answer}`],
        wrong: wrong.map((name) => ` ${name}`),
        mode: 'bag',
        singleAnswers: true,
        key: spec.corruption === 'definition' ? ['C'] : ['A_DOC', 'B_DOC'],
        item: `docstring-${drawn}`,
        type: spec.type,
      }) satisfies Omit<Draft, 'reverse'>;
    if (spec.corruption === 'docstring')
      return make(
        args,
        args,
        c,
        args.filter((name) => name !== c),
      );
    return {
      ...make(args, changed, c, [other]),
      ...(spec.bothWays ? { reverse: make(changed, args, other, [c]) } : {}),
    };
  };
}

interface Head {
  readonly name: string;
  readonly words: readonly string[];
}

function code({ name, words }: Head, args: readonly string[], [a, b]: readonly [string, string]): Piece[] {
  const [w1 = '', w2 = '', w3 = '', w4 = '', w5 = '', w6 = '', w7 = ''] = words;
  return [
    `def ${name}(self`,
    ...args.flatMap((argument, i): Piece[] => [',', [ROLES[i] ?? `F${i}`, ` ${argument}`]]),
    `):\n    """${w1} ${w2} ${w3}\n\n    :param`,
    ['A_DOC', ` ${a}`],
    `: ${w4} ${w5}\n    :param`,
    ['B_DOC', ` ${b}`],
    `: ${w6} ${w7}\n    :param`,
  ];
}
