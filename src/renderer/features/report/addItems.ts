import type { Report, ReportSection, Sweep } from '../../../shared/domain/index.ts';
import type { IconName } from '../../components/icons.ts';
import { t } from '../../i18n/index.ts';

interface AddItem {
  readonly label: string;
  /** What it holds, or why it cannot be added. */
  readonly note: string;
  readonly icon: IconName;
  readonly disabled: boolean;
  readonly run: () => void;
}

/** Sections that a report holds once. */
const ONCE = ['data', 'training', 'methods', 'warnings', 'provenance'] as const;

/** What can be added to a report: text, what it lacks, and every sweep. */
export function addItems(
  report: Report,
  sweeps: readonly Sweep[],
  onadd: (section: ReportSection) => void,
): AddItem[] {
  const r = t.report;
  const sweepIds = sweeps.map((sweep) => sweep.id);
  const has = (kind: ReportSection['kind']) => report.sections.some((section) => section.kind === kind);
  const holds = (id: Sweep['id']) =>
    report.sections.some((section) => section.kind === 'sweep' && section.sweepIds.includes(id));
  return [
    {
      label: r.kinds.text,
      note: r.addNotes.text,
      icon: 'edit',
      disabled: false,
      run: () => onadd({ kind: 'text', title: r.newTitle.text, text: '', sweepIds: [] }),
    },
    ...sweeps.map((sweep): AddItem => ({
      label: t.sweeps.title(sweep.label, sweep.name),
      note: holds(sweep.id) ? r.addNotes.present : r.kinds.sweep.toLowerCase(),
      icon: 'sweeps',
      disabled: holds(sweep.id),
      run: () =>
        onadd({ kind: 'sweep', title: `${sweep.label} · ${sweep.name}`, text: '', sweepIds: [sweep.id] }),
    })),
    ...ONCE.map((kind): AddItem => ({
      label: r.kinds[kind],
      note: has(kind) ? r.addNotes.present : r.addNotes[kind],
      icon: 'plus',
      disabled: has(kind),
      run: () => onadd({ kind, title: r.newTitle[kind], text: '', sweepIds }),
    })),
  ];
}
