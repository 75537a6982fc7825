import { TaskSpec, type TaskId } from '../../../shared/domain/index.ts';
import type { t } from '../../i18n/index.ts';

export type FieldKey = keyof typeof t.tasks.fields;
type FieldKind = 'number' | 'text' | 'words' | 'lines' | 'switch' | 'choice' | 'several';

/** A field of a task's form. Its value is text: a switch is `yes` or empty, several choices a comma list. */
export interface Field {
  readonly key: FieldKey;
  readonly kind: FieldKind;
  readonly start: string;
  readonly options?: readonly string[];
}

const field = (key: FieldKey, kind: FieldKind, start = '', options?: readonly string[]): Field => ({
  key,
  kind,
  start,
  ...(options === undefined ? {} : { options }),
});

export const COMMON: readonly Field[] = [
  field('count', 'number', '50'),
  field('seed', 'number', '0'),
  field('type', 'text'),
];
const bothWays = field('bothWays', 'switch');

/** What each task asks for beside `COMMON`. */
export const TASK_FIELDS: Readonly<Record<TaskId, readonly Field[]>> = {
  ioi: [
    field('order', 'choice', 'BABA', ['BABA', 'ABBA', 'both']),
    field('corruption', 'choice', 's2-io', ['s2-io', 'names', 'abc']),
    field('names', 'words'),
    bothWays,
  ],
  'greater-than': [],
  docstring: [field('corruption', 'choice', 'definition', ['definition', 'docstring']), bothWays],
  arithmetic: [
    field('operators', 'several', 'plus,minus', ['plus', 'minus', 'times']),
    field('shots', 'number', '2'),
    field('max', 'number', '50'),
    bothWays,
  ],
  factual: [
    field('relations', 'several', 'capital,language,continent', [
      'capital',
      'language',
      'continent',
      'currency',
    ]),
    bothWays,
  ],
  clap: [
    field('questions', 'lines'),
    field('targets', 'choice', 'answers', ['published', 'answers', 'disjoint']),
    field('read', 'choice', 'last', ['last', 'first-difference']),
    field('keepUnequal', 'switch', 'yes'),
  ],
  induction: [
    field('period', 'number', '8'),
    field('corruption', 'choice', 'predecessors', ['predecessors', 'follower']),
    field('symbols', 'words'),
    bothWays,
  ],
  template: [
    field('template', 'text', 'In people with {subject}, the recording shows'),
    field('subjects', 'lines'),
    field('slots', 'lines'),
    field('longAnswers', 'choice', 'drop', ['drop', 'first', 'sequence']),
    bothWays,
  ],
};

export type FormValues = Readonly<Record<string, string>>;

export function startValues(task: TaskId): Record<string, string> {
  return Object.fromEntries([...COMMON, ...TASK_FIELDS[task]].map(({ key, start }) => [key, start]));
}

const list = (text: string, separator: string | RegExp): string[] =>
  text
    .split(separator)
    .map((part) => part.trim())
    .filter((part) => part !== '');

/** A line `name = rest`; null without both. */
function named(line: string): readonly [string, string] | null {
  const at = line.indexOf('=');
  const [name, rest] = [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  return at < 0 || name === '' || rest === '' ? null : [name, rest];
}
const namedLines = (text: string) =>
  list(text, '\n').flatMap((line) => [named(line)].filter((n) => n !== null));

/** How the lines of a field are read. */
const LINES: Readonly<Partial<Record<FieldKey, (text: string) => unknown>>> = {
  subjects: (text) => namedLines(text).map(([term, answer]) => ({ term, answer })),
  slots: (text) => Object.fromEntries(namedLines(text).map(([name, terms]) => [name, list(terms, ',')])),
  questions: (text) =>
    list(text, '\n').map((line) => {
      const [question = '', right = '', wrong = '', type = ''] = line.split('|').map((part) => part.trim());
      return { question, right, wrong, type };
    }),
};

const READERS: Readonly<Record<FieldKind, (text: string, key: FieldKey) => unknown>> = {
  number: (text) => (/^\d+$/.test(text) ? Number(text) : undefined),
  text: (text) => text,
  words: (text) => list(text, ','),
  several: (text) => list(text, ','),
  switch: (text) => text === 'yes',
  choice: (text) => text,
  lines: (text, key) => LINES[key]?.(text),
};

/** The task that a form describes; null while it describes none. A number that is none counts as missing. */
export function specOf(task: TaskId, values: FormValues): TaskSpec | null {
  const raw = [...COMMON, ...TASK_FIELDS[task]].map(({ key, kind, start }) => [
    key,
    READERS[kind](values[key] ?? start, key),
  ]);
  if (raw.some(([, value]) => value === undefined)) return null;
  const parsed = TaskSpec.safeParse({ task, ...Object.fromEntries(raw) });
  return parsed.success ? parsed.data : null;
}
