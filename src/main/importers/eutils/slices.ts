import { damaged } from './errors.ts';
import { esearch, MOST_LISTED, type SearchAnswer, type Slice } from './search.ts';
import type { EutilsLink } from './request.ts';

/** A slice that was listed to its end. */
export interface ListedSlice {
  readonly slice: Slice;
  readonly count: number;
  readonly pmids: readonly string[];
}

const DAY_MS = 86_400_000;
/** Before the first article of PubMed, and above any PMID. */
const FIRST_DAY = '1700/01/01';
const HIGHEST_PMID = 99_999_999;

/** The whole of PubMed until a day. Articles may be dated a little ahead of the reader's clock. */
export function wholeSlice(today: Date = new Date()): Slice {
  return { from: FIRST_DAY, to: dayText(today.getTime() + 2 * DAY_MS), lowest: null, highest: null };
}

/**
 * Lists every PMID of a query, slice by slice: one that holds more than a request can list is halved by
 * date, a single day by PMID. `done` says which slices an earlier attempt listed already.
 */
export async function* listSlices(
  link: EutilsLink,
  query: string,
  whole: Slice,
  done: (slice: Slice) => boolean,
): AsyncGenerator<ListedSlice> {
  const stack: { slice: Slice; large: boolean }[] = [{ slice: whole, large: false }];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { slice } = next;
    if (done(slice)) continue;
    let answer: SearchAnswer;
    if (next.large) {
      // Very likely halved once more: count first, and list only what will be kept.
      answer = await esearch(link, query, slice, 0);
      if (answer.count <= MOST_LISTED) answer = await esearch(link, query, slice, MOST_LISTED);
    } else answer = await esearch(link, query, slice, MOST_LISTED);
    if (answer.count <= MOST_LISTED) {
      yield { slice, count: answer.count, pmids: answer.pmids };
      continue;
    }
    const large = answer.count > 3 * MOST_LISTED;
    const [first, second] = halve(slice);
    stack.push({ slice: second, large }, { slice: first, large });
  }
}

/** Two slices that meet without a gap or an overlap. */
export function halve(slice: Slice): [Slice, Slice] {
  const from = dayNumber(slice.from);
  const to = dayNumber(slice.to);
  if (to > from) {
    const middle = Math.floor((from + to) / 2);
    return [
      { ...slice, to: dayText(middle * DAY_MS) },
      { ...slice, from: dayText((middle + 1) * DAY_MS) },
    ];
  }
  const lowest = slice.lowest ?? 1;
  const highest = slice.highest ?? HIGHEST_PMID;
  if (lowest >= highest) throw damaged(`more than ${MOST_LISTED} articles with the one PMID ${lowest}`);
  const middle = Math.floor((lowest + highest) / 2);
  return [
    { ...slice, lowest, highest: middle },
    { ...slice, lowest: middle + 1, highest },
  ];
}

function dayNumber(day: string): number {
  return Date.parse(`${day.replaceAll('/', '-')}T00:00:00Z`) / DAY_MS;
}

function dayText(at: number): string {
  return new Date(at).toISOString().slice(0, 10).replaceAll('-', '/');
}
