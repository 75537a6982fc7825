import type { TaskSpecs } from '../../../shared/domain/index.ts';
import type { TaskTools } from './tools.ts';
import type { Draw, Piece } from './types.ts';

/** Things that last; each is checked against the tokenizer. */
const NOUNS: readonly string[] =
  `war siege trial project journey campaign conflict crisis voyage strike alliance partnership plan program
study reign dispute rebellion festival tour survey marriage contract drought famine epidemic expedition
investigation occupation peace treaty truce exile construction excavation negotiation debate boycott`.split(
    /\s+/,
  );

const CENTURIES = ['11', '12', '13', '14', '15', '16', '17', '18'];
const two = (n: number): string => String(n).padStart(2, '0');
const YEARS: readonly string[] = Array.from({ length: 100 }, (_, n) => two(n));

/**
 * Greater-than (Hanna et al. 2023): the right answers are all two-digit years after YY, the wrong ones all
 * before it; corrupted: YY → 01. A year is used only if the tokenizer splits " XXYY" into [XX][YY] and knows
 * " XX" as one token. All pairs of one noun are of one item.
 */
export function greaterThan(spec: TaskSpecs['greater-than'], tools: TaskTools): Draw {
  const nouns = tools.singles('nouns', spec.nouns.length > 0 ? spec.nouns : NOUNS, 1);
  const ends = YEARS.filter((year) => tools.isSingle(year));
  const dates = CENTURIES.flatMap((century) =>
    YEARS.slice(2, 99).flatMap((year) => {
      if (splits(century, year, tools) && splits(century, '01', tools)) return [{ century, year }];
      tools.drops.add('years that are not two tokens [XX][YY]', ` ${century}${year}`);
      return [];
    }),
  );
  return () => {
    if (dates.length === 0) return null;
    const noun = tools.pick(nouns);
    const { century, year } = tools.pick(dates);
    const prompt = (yy: string): Piece[] => [
      'The',
      ['NOUN', ` ${noun}`],
      ' lasted from the year',
      ['XX', ` ${century}`],
      ['YY', yy],
      ' to the year',
      ['XX2', ` ${century}`],
    ];
    return {
      clean: prompt(year),
      corrupted: prompt('01'),
      answer: ends.filter((end) => end > year),
      wrong: ends.filter((end) => end < year),
      mode: 'bag',
      singleAnswers: true,
      key: ['YY'],
      item: `greater-than-${noun}`,
      type: spec.type,
    };
  };
}

/** Whether " XXYY" is exactly the tokens of " XX" and "YY". */
function splits(century: string, year: string, tools: TaskTools): boolean {
  const [first, second] = [tools.inside(` ${century}`), tools.inside(year)];
  const whole = tools.inside(` ${century}${year}`);
  return (
    first.length === 1 &&
    second.length === 1 &&
    whole.length === 2 &&
    whole[0] === first[0] &&
    whole[1] === second[0]
  );
}
