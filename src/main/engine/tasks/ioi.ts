import type { TaskSpecs } from '../../../shared/domain/index.ts';
import { fill } from './prompt.ts';
import type { TaskTools } from './tools.ts';
import type { Draft, Draw, Piece } from './types.ts';
import { NAMES, OBJECTS, PLACES, TEMPLATES } from './words/ioi.ts';

type Corruption = TaskSpecs['ioi']['corruption'];

/** Who is named where: the two introduced, in order, and the giver. */
interface Cast {
  readonly io: string;
  readonly subject: string;
  /** BABA: the giver is introduced first. */
  readonly giverFirst: boolean;
}

/** Names that a corrupted prompt holds in place of IO, S1 and S2, and the spans that noise corrupts. */
const CORRUPTIONS: Readonly<
  Record<
    Corruption,
    {
      readonly key: readonly string[];
      readonly names: (cast: Cast, other: readonly string[]) => Readonly<Record<'IO' | 'S1' | 'S2', string>>;
    }
  >
> = {
  's2-io': { key: ['S2'], names: ({ io, subject }) => ({ IO: io, S1: subject, S2: io }) },
  names: {
    key: ['S1', 'IO'],
    names: ({ subject }, [a = '', b = '']) => ({ IO: a, S1: b, S2: subject }),
  },
  abc: {
    key: ['S1', 'IO', 'S2'],
    names: (_cast, [a = '', b = '', c = '']) => ({ IO: a, S1: b, S2: c }),
  },
};

/**
 * Indirect object identification (Wang et al. 2023): the answer is the name introduced and not repeated. Names
 * that replace others are drawn apart from IO and S, so that no replacement is the answer. Every copy of one
 * template is of one item.
 */
export function ioi(spec: TaskSpecs['ioi'], tools: TaskTools): Draw {
  const given = (own: readonly string[], built: readonly string[]) => (own.length > 0 ? own : built);
  const names = tools.singles('names', given(spec.names, NAMES), 5);
  const places = tools.singles('places', given(spec.places, PLACES), 1);
  const objects = tools.singles('objects', given(spec.objects, OBJECTS), 1);
  return () => {
    const index = tools.between(0, TEMPLATES.length - 1);
    const giverFirst = spec.order === 'both' ? tools.between(0, 1) === 0 : spec.order === 'BABA';
    const [io = '', subject = '', ...other] = tools.sample(names, 5);
    const scene = { PLACE: tools.pick(places), OBJECT: tools.pick(objects) };
    const make = (cast: Cast): Omit<Draft, 'reverse'> => {
      const { key, names: replaced } = CORRUPTIONS[spec.corruption];
      return {
        clean: sentence(index, cast, { IO: cast.io, S1: cast.subject, S2: cast.subject }, scene),
        corrupted: sentence(index, cast, replaced(cast, other), scene),
        answer: [` ${cast.io}`],
        wrong: [` ${cast.subject}`],
        mode: 'bag',
        singleAnswers: true,
        key,
        item: `ioi-${index + 1}`,
        type: spec.type,
      };
    };
    const both = spec.bothWays && spec.corruption === 's2-io';
    return {
      ...make({ io, subject, giverFirst }),
      // Exchanged, the giver of the corrupted prompt is the subject, introduced in the other place.
      ...(both ? { reverse: make({ io: subject, subject: io, giverFirst: !giverFirst }) } : {}),
    };
  };
}

function sentence(
  index: number,
  { giverFirst }: Cast,
  names: Readonly<Record<'IO' | 'S1' | 'S2', string>>,
  scene: Readonly<Record<string, string>>,
): Piece[] {
  const span = (role: 'IO' | 'S1' | 'S2'): Piece => [role, ` ${names[role]}`];
  const [first, second] = giverFirst ? (['S1', 'IO'] as const) : (['IO', 'S1'] as const);
  return fill(TEMPLATES[index] ?? '', { '1': span(first), '2': span(second), S: span('S2'), ...scene });
}
