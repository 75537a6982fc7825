import { plural } from '../format.ts';

export const common = {
  cancel: 'Cancel',
  choose: 'Choose',
  close: 'Close',
  copied: 'Copied',
  copyProvenance: 'Copy in full',
  dismiss: 'Dismiss',
  explain: (word: string) => `Explain ${word}`,
  export: 'Export',
  figure: 'Figure',
  loading: 'Loading',
  open: 'Open',
  providers: { cpu: 'CPU', cuda: 'CUDA', dml: 'DirectML', webgpu: 'WebGPU' },
  remove: 'Remove',
  rename: 'Rename',
  resize: (pane: string) => `Resize ${pane}`,
  retry: 'Try again',
  rows: (n: number) => plural(n, 'row'),
  save: 'Save',
  show: (pane: string) => `Show ${pane}`,
  table: 'Table',
};
