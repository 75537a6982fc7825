import { describe, expect, it } from 'vitest';
import { SweepId, type Report, type ReportSection } from '../../../src/shared/domain/index.ts';
import { addItems } from '../../../src/renderer/features/report/addItems.ts';
import {
  canRemove,
  moved,
  withChange,
  without,
  withSection,
} from '../../../src/renderer/features/report/sections.ts';

const section = (kind: ReportSection['kind'], title: string = kind): ReportSection => ({
  kind,
  title,
  text: '',
  sweepIds: kind === 'sweep' ? [SweepId.parse(1)] : [],
});
const report: Report = {
  title: 'T',
  author: '',
  sections: [
    section('warnings'),
    section('data'),
    section('sweep'),
    section('methods'),
    section('provenance'),
  ],
};
const titles = ({ sections }: Report) => sections.map((s) => s.title);

describe('sections of a report', () => {
  it('are added before methods and provenance, or at the end where there are none', () => {
    const added = withSection(report, section('text'));
    expect(added.index).toBe(3);
    expect(titles(added.report)).toEqual(['warnings', 'data', 'sweep', 'text', 'methods', 'provenance']);
    expect(withSection({ ...report, sections: [] }, section('text')).index).toBe(0);
  });
  it('move in both directions and stay within the report', () => {
    expect(titles(moved(report, 2, 0))).toEqual(['sweep', 'warnings', 'data', 'methods', 'provenance']);
    expect(titles(moved(report, 0, 3))).toEqual(['data', 'sweep', 'methods', 'warnings', 'provenance']);
    expect(moved(report, 0, -1)).toBe(report);
    expect(moved(report, 4, 5)).toBe(report);
    expect(moved(report, 9, 0)).toBe(report);
  });
  it('change and go one at a time; the report given stays as it was', () => {
    expect(titles(withChange(report, 1, { title: 'Abstracts' }))[1]).toBe('Abstracts');
    expect(titles(without(report, 1))).toEqual(['warnings', 'sweep', 'methods', 'provenance']);
    expect(titles(report)[1]).toBe('data');
    expect(withChange(report, 9, { title: 'x' })).toBe(report);
  });
  it('keep their warnings', () => {
    expect(report.sections.filter((s) => !canRemove(s)).map((s) => s.kind)).toEqual(['warnings']);
  });
});

it('offers text always, and what a report holds once only where it lacks it', () => {
  const added: ReportSection['kind'][] = [];
  const items = addItems(report, [], ({ kind }) => added.push(kind));
  const open = items.filter((item) => !item.disabled);
  expect(items).toHaveLength(6);
  expect(open).toHaveLength(2);
  for (const item of open) item.run();
  expect(added).toEqual(['text', 'training']);
});
