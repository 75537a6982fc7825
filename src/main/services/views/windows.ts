import { gridOf, hookInfo } from '../../../shared/domain/index.ts';
import { windowStudy } from '../sweeps/windows.ts';
import type { ViewMaker } from './view.ts';

/** Windows of layers patched together beside the sums of their single layers (Zhang & Nanda 2024, section 5). */
export const windowsView: ViewMaker<'windows'> = ({ study, grids }, { kind: _kind, id, ...key }) => {
  const { window: _window, ...single } = gridOf(key);
  const wide = grids.grid(study, id, key);
  const made = windowStudy(wide, grids.grid(study, id, { ...single, metric: key.metric }));
  const { label } = study.sweeps.get(id);
  return {
    title: `${label}: windows of ${made.window} layers, ${hookInfo(key.hook).label}`,
    notes: [
      ...(wide.noRatio === undefined ? [] : [wide.noRatio]),
      'The ratio is the peak of the windows over the peak of the sums, per column; it needs a positive peak of sums. Zhang & Nanda 2024 advise to read single layers first.',
    ],
    figures: [
      {
        request: { kind: 'sweep', id, ...key },
        caption: `${label}. Windows of ${made.window} layers patched together, ${hookInfo(key.hook).label}.`,
      },
    ],
    tables: [
      {
        name: 'peaks',
        caption: 'Peak of the windows and of the sums of single layers, by column',
        columns: ['column', 'label', 'peak of windows', 'peak of sums', 'ratio'],
        rows: made.peaks.map((p) => [p.column, p.label, p.peakWindow, p.peakSum, p.ratio]),
      },
      {
        name: 'sums',
        caption: 'Windows and sums of single layers, site by site',
        columns: ['layer', 'column', 'window', 'sum of singles'],
        rows: made.sums.map((sum, i) => [
          Math.floor(i / made.columns),
          i % made.columns,
          wide.recovery[i] ?? null,
          sum,
        ]),
      },
    ],
  };
};
