import type { EngramClient } from '../../../shared/contracts/index.ts';
import {
  sameRef,
  sweepRef,
  type Report,
  type ReportSection,
  type ResultRef,
} from '../../../shared/domain/index.ts';
import { withSection } from '../report/sections.ts';
import type { ResultPair } from './compare.ts';

/** Both sides of a comparison in the report. */
function sidesOf({ results, sweepIds }: ReportSection): readonly ResultRef[] {
  return results ?? sweepIds.map(sweepRef);
}

type Sides = { readonly [K in keyof ResultPair]: Pick<ResultPair[K], 'ref'> };

export function isInReport(report: Report, { a, b }: Sides): boolean {
  return report.sections.some((section) => {
    const [first, second] = sidesOf(section);
    return (
      section.kind === 'comparison' &&
      first !== undefined &&
      second !== undefined &&
      sameRef(first, a.ref) &&
      sameRef(second, b.ref)
    );
  });
}

const sweepsAmong = (refs: readonly ResultRef[]) =>
  refs.flatMap((ref) => (ref.kind === 'sweep' ? [ref.id] : []));

/** Saves the comparison under its name and puts it into the report. */
export async function addComparison(client: EngramClient, { a, b }: Sides, name: string): Promise<void> {
  // Read before saving: the report of a study that has none yet would already list the saved comparison.
  const report = await client.report.get({});
  await client.compare.save({ a: a.ref, b: b.ref, name });
  if (isInReport(report, { a, b })) return;
  const sweepIds = sweepsAmong([a.ref, b.ref]);
  const results: [ResultRef, ResultRef] = [a.ref, b.ref];
  const section = { kind: 'comparison' as const, title: name, text: '', sweepIds };
  await client.report.save(
    withSection(report, sweepIds.length === 2 ? section : { ...section, results }).report,
  );
}
