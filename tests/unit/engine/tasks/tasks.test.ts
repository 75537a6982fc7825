import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openTask } from '../../../../src/main/engine/tasks/index.ts';
import { openTokenizer, type TextTokenizer } from '../../../../src/main/models/index.ts';
import { PairLine, TaskSpec, type TaskDrop } from '../../../../src/shared/domain/index.ts';

const path = (relative: string): string => fileURLToPath(new URL(`../../../../${relative}`, import.meta.url));
const GPT2 = path('../shared/models/gpt2-tokenizer');
const STORIES = path('../shared/models/stories260K-hf');
const SAMPLE = path('resources/sample/tokenizer');
const PUBLISHED = path('../shared/reference/clap-published.json');

interface Drawn {
  readonly groups: readonly (readonly PairLine[])[];
  readonly lines: readonly PairLine[];
  readonly dropped: readonly TaskDrop[];
}

const opened = new Map<string, Promise<TextTokenizer | null>>();
const open = async (folder: string): Promise<TextTokenizer> => {
  const opening = opened.get(folder) ?? openTokenizer(folder);
  opened.set(folder, opening);
  const tokenizer = await opening;
  if (tokenizer === null) throw new Error(`${folder} has no tokenizer`);
  return tokenizer;
};

function draw(tokenizer: TextTokenizer, spec: z.input<typeof TaskSpec>, offset = 0, nCtx = 1024): Drawn {
  const parsed = TaskSpec.parse(spec);
  const source = openTask(parsed, { tokenizer, offset, nCtx });
  const groups: (readonly PairLine[])[] = [];
  while (groups.length < parsed.count) {
    const next = source.next();
    if (next === null) break;
    groups.push(next);
  }
  return { groups, lines: groups.flat(), dropped: source.dropped() };
}

/** What every pair of every generator must meet under its tokenizer. */
function expectSound(tokenizer: TextTokenizer, { lines }: Drawn, offset = 0): void {
  expect(new Set(lines.map(({ id }) => id)).size).toBe(lines.length);
  for (const line of lines) {
    PairLine.parse(line);
    const [clean, corrupted] = [text(line.clean), text(line.corrupted)].map((t) => tokenizer.encode(t));
    expect(clean!.length, line.id).toBe(corrupted!.length);
    const differing = clean!.flatMap((id, i) => (id === corrupted![i] ? [] : [i + offset]));
    expect(differing.length, line.id).toBeGreaterThan(0);
    if (line.answer_mode === 'bag') {
      for (const answer of [...line.answer, ...line.wrong]) {
        expect(tokenizer.encodeInside(String(answer)), `${line.id}: ${String(answer)}`).toHaveLength(1);
      }
    }
    expect(line.answer.some((answer) => line.wrong.includes(answer))).toBe(false);
    expect(line.spans?.clean['END']).toEqual([clean!.length - 1 + offset, clean!.length + offset]);
    // What differs is exactly what the key names.
    expect(
      differing.every((at) => Array.isArray(line.key) && line.key.includes(at)),
      line.id,
    ).toBe(true);
  }
}

const text = (prompt: PairLine['clean']): string => {
  if (typeof prompt !== 'string') throw new TypeError('a prompt of ids');
  return prompt;
};
/** The text of a span, from the tokens it covers. */
const spanText = (tokenizer: TextTokenizer, line: PairLine, side: 'clean' | 'corrupted', name: string) => {
  const [start, end] = line.spans![side][name]!;
  return tokenizer.decodeInside(tokenizer.encode(text(line[side])).slice(start, end));
};

describe.skipIf(!existsSync(GPT2))('tasks under GPT-2’s tokenizer', () => {
  it('IOI: S2 becomes IO, and its spans are the names', async () => {
    const gpt2 = await open(GPT2);
    const drawn = draw(gpt2, { task: 'ioi', count: 60, seed: 7, order: 'both', bothWays: true });
    expect(drawn.groups).toHaveLength(60);
    expect(drawn.lines).toHaveLength(120);
    expectSound(gpt2, drawn);
    for (const line of drawn.lines) {
      const [io, s] = [line.answer[0], line.wrong[0]];
      expect(spanText(gpt2, line, 'clean', 'IO')).toBe(io);
      expect(spanText(gpt2, line, 'clean', 'S1')).toBe(s);
      expect(spanText(gpt2, line, 'clean', 'S2')).toBe(s);
      expect(spanText(gpt2, line, 'corrupted', 'S2')).toBe(io);
      expect(line.clean).not.toContain('{');
      // The answer follows the prompt as a word of its own.
      expect(gpt2.encode(`${text(line.clean)}${String(io)}`)).toEqual([
        ...gpt2.encode(text(line.clean)),
        ...gpt2.encodeInside(String(io)),
      ]);
    }
    for (const [line, reverse] of drawn.groups) {
      expect(reverse).toMatchObject({
        clean: line!.corrupted,
        corrupted: line!.clean,
        answer: line!.wrong,
        item: line!.item,
      });
    }
  });

  it('IOI: names that replace others are neither IO nor S', async () => {
    const gpt2 = await open(GPT2);
    for (const corruption of ['names', 'abc'] as const) {
      const drawn = draw(gpt2, { task: 'ioi', count: 80, seed: 1, corruption });
      expectSound(gpt2, drawn);
      for (const line of drawn.lines) {
        const old = new Set([line.answer[0], line.wrong[0]]);
        const roles = corruption === 'abc' ? ['IO', 'S1', 'S2'] : ['IO', 'S1'];
        const names = roles.map((role) => spanText(gpt2, line, 'corrupted', role));
        expect(names.some((name) => old.has(name))).toBe(false);
        expect(new Set(names).size).toBe(roles.length);
      }
    }
  });

  it('IOI: its own lists hold at least 90 names, 8 places and 8 objects of one token', async () => {
    const gpt2 = await open(GPT2);
    const { lines, dropped } = draw(gpt2, { task: 'ioi', count: 2000, seed: 3 });
    const seen = new Set(lines.flatMap((line) => [line.answer[0], line.wrong[0]]));
    expect(seen.size).toBeGreaterThanOrEqual(90);
    expect(dropped).toEqual([]);
    expect(new Set(lines.map((line) => line.item)).size).toBe(15);
  });

  it('greater-than: the year splits into [XX][YY], right years are greater, wrong ones less', async () => {
    const gpt2 = await open(GPT2);
    const drawn = draw(gpt2, { task: 'greater-than', count: 80, seed: 2 });
    expect(drawn.groups).toHaveLength(80);
    expectSound(gpt2, drawn);
    for (const line of drawn.lines) {
      const found = /from the year (\d\d)(\d\d) to the year (\d\d)$/.exec(text(line.clean))!;
      expect(found[1]).toBe(found[3]);
      expect(gpt2.encodeInside(` ${found[1]}${found[2]}`)).toEqual([
        ...gpt2.encodeInside(` ${found[1]}`),
        ...gpt2.encodeInside(found[2]!),
      ]);
      expect(line.corrupted).toBe(text(line.clean).replace(`${found[1]}${found[2]}`, `${found[1]}01`));
      expect(line.answer.every((year) => Number(year) > Number(found[2]))).toBe(true);
      expect(line.wrong.every((year) => Number(year) < Number(found[2]))).toBe(true);
      expect(line.answer.length + line.wrong.length).toBe(99);
    }
  });

  it('docstring: the answer is the third argument described, and the corruption takes it away', async () => {
    const gpt2 = await open(GPT2);
    for (const corruption of ['definition', 'docstring'] as const) {
      const drawn = draw(gpt2, { task: 'docstring', count: 40, seed: 5, corruption, bothWays: true });
      expect(drawn.groups).toHaveLength(40);
      expectSound(gpt2, drawn);
      for (const line of drawn.lines) {
        expect(spanText(gpt2, line, 'clean', 'C')).toBe(line.answer[0]);
        expect(spanText(gpt2, line, 'clean', 'A_DOC')).toBe(spanText(gpt2, line, 'clean', 'A'));
        const kept = spanText(gpt2, line, 'corrupted', 'C') === line.answer[0];
        expect(kept).toBe(corruption === 'docstring');
      }
    }
  });

  it('arithmetic: results are right, examples are shared, operands redrawn', async () => {
    const gpt2 = await open(GPT2);
    const drawn = draw(gpt2, {
      task: 'arithmetic',
      count: 60,
      seed: 4,
      operators: ['plus', 'minus', 'times'],
      max: 20,
      shots: 3,
      bothWays: true,
    });
    expectSound(gpt2, drawn);
    const compute = { plus: (a: number, b: number) => a + b, minus: (a: number, b: number) => a - b };
    const value = (prompt: string): string => {
      const [, a, operator, b] = /How much is (\d+) (\w+) (\d+)\? Answer:$/.exec(prompt)!;
      const times = Number(a) * Number(b);
      const result =
        operator === 'plus' || operator === 'minus' ? compute[operator](Number(a), Number(b)) : times;
      return ` ${result}`;
    };
    for (const line of drawn.lines) {
      expect(line.answer).toEqual([value(text(line.clean))]);
      expect(line.wrong).toEqual([value(text(line.corrupted))]);
      const shots = (prompt: PairLine['clean']): string[] => text(prompt).split('\n').slice(0, -1);
      expect(shots(line.clean)).toEqual(shots(line.corrupted));
      expect(shots(line.clean)).toHaveLength(3);
    }
  });

  it('factual: subjects of equal length under their relation’s own answers', async () => {
    const gpt2 = await open(GPT2);
    const drawn = draw(gpt2, {
      task: 'factual',
      count: 120,
      seed: 9,
      relations: ['capital', 'language', 'continent', 'currency'],
      bothWays: true,
    });
    expect(drawn.groups).toHaveLength(120);
    expectSound(gpt2, drawn);
    const facts = new Map<string, string>();
    for (const line of drawn.lines) {
      const prompt = text(line.clean);
      expect(facts.get(prompt) ?? line.answer[0]).toBe(line.answer[0]);
      facts.set(prompt, String(line.answer[0]));
    }
    expect(facts.get('The capital of France is the city of')).toBe(' Paris');
  });

  it('templates: slots hold the same terms in both prompts, and what does not fit is counted', async () => {
    const gpt2 = await open(GPT2);
    const drawn = draw(gpt2, {
      task: 'template',
      count: 50,
      template: 'In {group} with {subject}, the {exam} shows',
      subjects: [
        { term: 'epilepsy', answer: 'spikes' },
        { term: 'dementia', answer: 'waves' },
        { term: 'sleep', answer: 'rhythm' },
        { term: 'interictal epileptiform discharges', answer: 'nothing' },
        { term: 'pain', answer: 'electroencephalographic' },
      ],
      slots: { group: ['people', 'young adults'], exam: ['recording', 'first recording'] },
    });
    expectSound(gpt2, drawn);
    expect(drawn.groups.length).toBeGreaterThan(0);
    for (const line of drawn.lines) {
      const subject = spanText(gpt2, line, 'clean', 'SUBJECT');
      expect(text(line.corrupted)).toBe(
        text(line.clean).replace(subject, spanText(gpt2, line, 'corrupted', 'SUBJECT')),
      );
    }
    const reasons = new Map(drawn.dropped.map((drop) => [drop.reason, drop]));
    expect(reasons.get('answers of several tokens')?.examples).toContain('electroencephalographic');
    expect(reasons.get('subjects without another of as many tokens and another answer')?.examples).toContain(
      'interictal epileptiform discharges',
    );
  });

  it.skipIf(!existsSync(PUBLISHED))('CLAP: the published texts, token for token', async () => {
    const gpt2 = await open(GPT2);
    const Table = z.object({
      table: z.number(),
      question: z.string(),
      correct: z.string(),
      corrupted: z.string(),
      type: z.string(),
    });
    const { tables } = z
      .object({ tables: z.array(Table) })
      .parse(JSON.parse(readFileSync(PUBLISHED, 'utf8')));
    const drawn = draw(gpt2, { task: 'clap', targets: 'published' });
    // Tables 3 and 5 ask the same question of the same answers: two pairs of one item.
    const published = new Map(tables.map((t) => [`${t.question} ${t.correct}`, t]));
    expect(drawn.lines.map((line) => line.clean)).toEqual(tables.map((t) => `${t.question} ${t.correct}`));
    expect(drawn.lines.map((line) => line.item)).toEqual([
      'clap-association',
      'clap-definition',
      'clap-association',
    ]);
    for (const line of drawn.lines) {
      const table = published.get(text(line.clean))!;
      expect(line.corrupted).toBe(`${table.question} ${table.corrupted}`);
      expect(line.type).toBe(table.type);
      expect(line.read).toBe('last');
    }
    const lengths = drawn.lines.map((line) =>
      [line.clean, line.corrupted].map((prompt) => gpt2.encode(text(prompt)).length),
    );
    expect(lengths).toEqual([
      [26, 26],
      [38, 31],
      [26, 26],
    ]);
    const tokens = (answers: PairLine['answer']) => gpt2.encodeInside(String(answers[0]));
    const [right, wrong] = [tokens(drawn.lines[0]!.answer), tokens(drawn.lines[0]!.wrong)];
    expect(right.length).toBeGreaterThan(1);
    expect(wrong.length).toBeGreaterThan(1);
    const dropped = draw(gpt2, { task: 'clap', keepUnequal: false });
    expect(dropped.lines).toHaveLength(2);
    expect(dropped.dropped).toMatchObject([{ reason: 'prompts of unequal length', count: 1 }]);
    const disjoint = draw(gpt2, { task: 'clap', targets: 'disjoint', read: 'first-difference' }).lines[0]!;
    const bag = (answers: PairLine['answer']) =>
      new Set(answers.flatMap((answer) => gpt2.encodeInside(String(answer))));
    const held = bag(disjoint.wrong);
    expect([...bag(disjoint.answer)].some((id) => held.has(id))).toBe(false);
    expect(disjoint.answer).toContain(' seizure');
    expect(spanText(gpt2, disjoint, 'clean', 'ANSWER')).toContain('Increased');
    expect(disjoint.read).toBe(disjoint.spans!.clean['ANSWER']![0]);
  });

  it('the same seed gives the same pairs, another seed others', async () => {
    const gpt2 = await open(GPT2);
    const of = (seed: number) => draw(gpt2, { task: 'ioi', count: 10, seed }).lines;
    expect(of(11)).toEqual(of(11));
    expect(of(11)).not.toEqual(of(12));
  });
});

describe.skipIf(!existsSync(STORIES))('tasks under the stories260K tokenizer', () => {
  it('says how few of the built-in names are one token', async () => {
    const stories = await open(STORIES);
    expect(() => draw(stories, { task: 'ioi' })).toThrow(/Only \d+ of \d+ names are a single token/);
  });

  it('draws a template over words of the user’s, the BOS counted in every position', async () => {
    const stories = await open(STORIES);
    const drawn = draw(
      stories,
      {
        task: 'template',
        template: 'Once upon a time there was a {subject} and it was',
        subjects: [
          { term: 'girl', answer: 'happy' },
          { term: 'bird', answer: 'sad' },
          { term: 'dog', answer: 'big' },
          { term: 'cat', answer: 'little' },
          { term: 'boy', answer: 'good' },
        ],
        longAnswers: 'first',
      },
      1,
      512,
    );
    expect(drawn.lines.length).toBeGreaterThan(0);
    expectSound(stories, drawn, 1);
  });
});

describe('tasks under the sample’s tokenizer', () => {
  it('draw a template over the study’s own terms', async () => {
    const sample = await open(SAMPLE);
    const drawn = draw(sample, {
      task: 'template',
      template: 'Patients with focal {subject} had',
      subjects: [
        { term: 'epilepsy', answer: 'seizures' },
        { term: 'seizures', answer: 'epilepsy' },
        { term: 'spikes', answer: 'discharges' },
      ],
      longAnswers: 'first',
      bothWays: true,
    });
    expect(drawn.lines.length).toBeGreaterThan(0);
    expectSound(sample, drawn);
  });

  it('draw sequences that begin again, and change only what stood before the two followers', async () => {
    const sample = await open(SAMPLE);
    const symbols = 'a b c d f g n o p s t w A B C D E F I L N S'.split(' ');
    const drawn = draw(sample, { task: 'induction', count: 20, symbols });
    expect(drawn.lines).toHaveLength(20);
    expectSound(sample, drawn);
    for (const line of drawn.lines) {
      const [clean, corrupted] = [text(line.clean), text(line.corrupted)].map((t) => t.trim().split(' '));
      const asked = clean!.at(-1)!;
      expect(new Set(clean!.slice(0, 8)).size).toBe(8);
      expect(clean!.slice(8)).toEqual(clean!.slice(0, clean!.length - 8));
      expect(corrupted!.slice(8)).toEqual(clean!.slice(8));
      expect(clean!.slice(0, 8).toSorted()).toEqual(corrupted!.slice(0, 8).toSorted());
      expect([` ${clean![clean!.indexOf(asked) + 1]}`]).toEqual(line.answer);
      expect([` ${corrupted![corrupted!.indexOf(asked) + 1]}`]).toEqual(line.wrong);
      expect(line.key).toHaveLength(2);
    }
  });

  it('replace only the follower, and exchange the prompts, where that is asked', async () => {
    const sample = await open(SAMPLE);
    const symbols = 'a b c d f g n o p s t w A B C D E F I L N S'.split(' ');
    const drawn = draw(sample, {
      task: 'induction',
      count: 5,
      symbols,
      corruption: 'follower',
      bothWays: true,
    });
    expectSound(sample, drawn);
    for (const [line, reverse] of drawn.groups) {
      expect(line!.key).toEqual([line!.spans!.clean['B']![0]]);
      expect([reverse!.clean, reverse!.corrupted]).toEqual([line!.corrupted, line!.clean]);
      expect([reverse!.answer, reverse!.wrong]).toEqual([line!.wrong, line!.answer]);
    }
  });

  it('refuse a template without {subject} and a slot without terms, naming it', async () => {
    const sample = await open(SAMPLE);
    const subjects = [
      { term: 'a', answer: 'b' },
      { term: 'c', answer: 'd' },
    ];
    expect(() => draw(sample, { task: 'template', template: 'No slot', subjects })).toThrow(/no \{subject\}/);
    expect(() => draw(sample, { task: 'template', template: '{subject} in {place}', subjects })).toThrow(
      /\{place\}/,
    );
  });

  it('leave out prompts longer than the model reads', async () => {
    const sample = await open(SAMPLE);
    const drawn = draw(sample, { task: 'clap' }, 0, 8);
    expect(drawn.lines).toEqual([]);
    expect(drawn.dropped).toMatchObject([{ reason: 'prompts longer than the model reads', count: 3 }]);
  });
});
