import type { TaskSpecs } from '../../../shared/domain/index.ts';
import type { TaskTools } from './tools.ts';
import type { Draft, Draw, Piece } from './types.ts';

type Operator = TaskSpecs['arithmetic']['operators'][number];

const RESULTS: Readonly<Record<Operator, (a: number, b: number) => number>> = {
  plus: (a, b) => a + b,
  minus: (a, b) => a - b,
  times: (a, b) => a * b,
};

interface Sum {
  readonly a: number;
  readonly b: number;
  readonly result: number;
}

/**
 * Two-operand arithmetic after worked examples (Stolfo et al. 2023). The corrupted prompt asks for other
 * operands with another result under the same operator and the same examples. Operands and results are
 * single tokens; results are never negative.
 */
export function arithmetic(spec: TaskSpecs['arithmetic'], tools: TaskTools): Draw {
  const numbers = new Set(
    tools
      .singles(
        'operands',
        Array.from({ length: spec.max + 1 }, (_, n) => String(n)),
        2,
      )
      .map(Number),
  );
  const operands = [...numbers];
  const draw = (operator: Operator): Sum => {
    const [x, y] = [tools.pick(operands), tools.pick(operands)];
    const [a, b] = operator === 'minus' && y > x ? [y, x] : [x, y];
    return { a, b, result: RESULTS[operator](a, b) };
  };
  let drawn = 0;
  return () => {
    drawn += 1;
    const operator = tools.pick(spec.operators);
    const shots = Array.from({ length: spec.shots }, () => example(operator, draw(operator))).join('');
    const [asked, other] = [draw(operator), draw(operator)];
    const make = (clean: Sum, corrupted: Sum): Omit<Draft, 'reverse'> => ({
      clean: [shots, ...question(operator, clean)],
      corrupted: [shots, ...question(operator, corrupted)],
      answer: [` ${clean.result}`],
      wrong: [` ${corrupted.result}`],
      mode: 'bag',
      singleAnswers: true,
      key: ['A', 'B'],
      item: `arithmetic-${drawn}`,
      type: spec.type,
    });
    return {
      ...make(asked, other),
      ...(spec.bothWays ? { reverse: make(other, asked) } : {}),
    };
  };
}

function question(operator: Operator, { a, b }: Sum): Piece[] {
  return ['How much is', ['A', ` ${a}`], ['OP', ` ${operator}`], ['B', ` ${b}`], '? Answer:'];
}

function example(operator: Operator, sum: Sum): string {
  return `How much is ${sum.a} ${operator} ${sum.b}? Answer: ${sum.result}\n`;
}
