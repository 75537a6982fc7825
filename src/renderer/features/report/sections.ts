import type { EngramClient } from '../../../shared/contracts/index.ts';
import type { Report, ReportSection } from '../../../shared/domain/index.ts';

/** Kinds that close a report: what is added later goes before them. */
const CLOSING: readonly ReportSection['kind'][] = ['methods', 'provenance'];

/** The report with one section more, before its closing ones. */
export function withSection(report: Report, section: ReportSection): { report: Report; index: number } {
  const end = report.sections.findIndex((s) => CLOSING.includes(s.kind));
  const index = end < 0 ? report.sections.length : end;
  return { report: { ...report, sections: report.sections.toSpliced(index, 0, section) }, index };
}

/** Adds a section to the study's report. */
export async function addSection(client: EngramClient, section: ReportSection): Promise<number> {
  const { report, index } = withSection(await client.report.get({}), section);
  await client.report.save(report);
  return index;
}

/** Moves a section up (−1) or down (+1); the same report where it cannot go further. */
export function moved(report: Report, index: number, step: -1 | 1): Report {
  const section = report.sections[index];
  const target = index + step;
  if (section === undefined || target < 0 || target >= report.sections.length) return report;
  return { ...report, sections: report.sections.toSpliced(index, 1).toSpliced(target, 0, section) };
}
