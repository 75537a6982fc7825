import type { EngramClient } from '../../../shared/contracts/index.ts';
import type { Report } from '../../../shared/domain/index.ts';
import { withSection } from '../report/sections.ts';
import type { SweepPair } from './compare.ts';

export function isInReport(report: Report, { a, b }: SweepPair): boolean {
  return report.sections.some(
    ({ kind, sweepIds }) => kind === 'comparison' && sweepIds[0] === a.id && sweepIds[1] === b.id,
  );
}

/** Saves the comparison under its name and puts it into the report. */
export async function addComparison(client: EngramClient, pair: SweepPair, name: string): Promise<void> {
  // Read before saving: the report of a study that has none yet would already list the saved comparison.
  const report = await client.report.get({});
  await client.compare.save({ a: pair.a.id, b: pair.b.id, name });
  if (isInReport(report, pair)) return;
  const sweepIds = [pair.a.id, pair.b.id];
  await client.report.save(
    withSection(report, { kind: 'comparison', title: name, text: '', sweepIds }).report,
  );
}
