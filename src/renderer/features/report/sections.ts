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

/** The report with the section at `from` standing at `to`; the same report where there is no such place. */
export function moved(report: Report, from: number, to: number): Report {
  const section = report.sections[from];
  if (section === undefined || from === to || to < 0 || to >= report.sections.length) return report;
  return { ...report, sections: report.sections.toSpliced(from, 1).toSpliced(to, 0, section) };
}

export function without(report: Report, index: number): Report {
  return { ...report, sections: report.sections.toSpliced(index, 1) };
}

export function withChange(
  report: Report,
  index: number,
  change: Partial<Pick<ReportSection, 'title' | 'text'>>,
): Report {
  const section = report.sections[index];
  if (section === undefined) return report;
  return { ...report, sections: report.sections.with(index, { ...section, ...change }) };
}

/** Warnings stay in every report. */
export function canRemove(section: ReportSection): boolean {
  return section.kind !== 'warnings';
}
