import type { PairFlag, PairLine, Report, SweepId } from '../../../shared/domain/index.ts';
import { encodePair, pairFlags, pairTokens } from '../../../shared/pairs/index.ts';
import type { Study } from '../../store/index.ts';
import { encodeContext, type ModelShelf } from '../models/shelf.ts';

/** Pairs named in one warning. */
const NAMED = 6;

/** Raised for the sweep as a whole by its own warnings. */
const OF_SWEEPS: ReadonlySet<PairFlag['code']> = new Set([
  'several-differences',
  'too-long',
  'unequal-length',
]);

/**
 * The traps of the pairs behind the sweeps of a report (METHODS section 4), one line for each trap of each
 * sweep, with the pairs it arises in. A sweep whose pair set or model was removed has none.
 */
export async function pairWarnings(study: Study, shelf: ModelShelf, report: Report): Promise<string[]> {
  const sweeps = [...new Set(report.sections.flatMap((section) => section.sweepIds))];
  const all: string[] = [];
  for (const id of sweeps) all.push(...(await ofSweep(study, shelf, id)));
  return all;
}

async function ofSweep(study: Study, shelf: ModelShelf, id: SweepId): Promise<string[]> {
  const { label, spec } = study.sweeps.get(id);
  if (!study.pairs.sets().some((set) => set.id === spec.pairSetId)) return [];
  if (!study.models.list().some((model) => model.id === spec.modelId)) return [];
  const context = encodeContext(await shelf.open(study, spec.modelId), spec.bos);
  const runs = baselines(study, id);
  const lines = study.pairs
    .list(spec.pairSetId)
    .map(({ line }) => line)
    .filter((line) => runs.has(line.id));
  const raised = lines.flatMap((line) => {
    const tokens = pairTokens(line, encodePair(line, context), context);
    const flags = pairFlags({ line, tokens, nCtx: context.nCtx, run: runs.get(line.id) ?? null });
    return flags.filter((flag) => !OF_SWEEPS.has(flag.code)).map((flag) => ({ line, flag }));
  });
  return [...Map.groupBy(raised, ({ flag }) => flag.code).values()].map(
    (group) => `${label}: ${sentence(group, lines.length)}`,
  );
}

/** Logit differences of both prompts of each swept pair; null where the sweep did not measure them. */
function baselines(
  study: Study,
  id: SweepId,
): Map<string, { cleanLogitDiff: number; corruptedLogitDiff: number } | null> {
  const metric = study.sweeps.get(id).spec.metrics.indexOf('logit_diff');
  const blocks = metric < 0 ? [] : study.blocks.read(id, 0, metric);
  const read = new Map(blocks.map((block) => [block.pair, block]));
  return new Map(
    study.sweeps.inputs(id).map((input, i) => {
      const block = read.get(i);
      const known =
        block === undefined ? null : { cleanLogitDiff: block.clean, corruptedLogitDiff: block.corrupted };
      return [input.id, known];
    }),
  );
}

function sentence(
  group: readonly { readonly line: PairLine; readonly flag: PairFlag }[],
  total: number,
): string {
  const names = group.slice(0, NAMED).map(({ line }) => line.id);
  const rest = group.length > NAMED ? ` and ${group.length - NAMED} more` : '';
  const { fact = '', consequence = '' } = group[0]?.flag ?? {};
  return `${group.length} of ${total} pairs (${names.join(', ')}${rest}): ${fact} ${consequence}`;
}
