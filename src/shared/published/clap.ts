/** One of the published questions of Bahador 2025 (arXiv 2504.02976), quoted, with its row of Tables 3 to 5 as printed. */
export interface ClapTable {
  readonly table: 3 | 4 | 5;
  /** Cluster of its pair: Tables 3 and 5 ask the same question. */
  readonly item: string;
  readonly type: string;
  readonly question: string;
  readonly right: string;
  readonly wrong: string;
  readonly site: string;
  readonly clean: number;
  readonly corrupted: number;
  readonly patched: number;
  readonly printed: number;
  /** The site copies the clean logits back by construction. */
  readonly trivial: boolean;
}

const ASSOCIATION = {
  item: 'clap-association',
  type: 'associative',
  question: 'What is the presence of interictal epileptiform discharges associated with?',
  right: 'Increased seizure risk in both focal and generalized epilepsy.',
  wrong: 'Cognitive dysfunction risk in both focal and generalized epilepsy.',
} as const;

export const CLAP_TABLES: readonly ClapTable[] = [
  {
    table: 3,
    ...ASSOCIATION,
    site: 'mlp.c_fc, first layer',
    clean: 0.76,
    corrupted: -0.34,
    patched: 0.43,
    printed: 0.56,
    trivial: false,
  },
  {
    table: 4,
    item: 'clap-definition',
    type: 'definitional',
    question: 'What is IEDs?',
    right:
      'IEDs stands for interictal epileptiform discharges, which are abnormal electrical patterns observed on an EEG that occur between seizures in individuals with epilepsy.',
    wrong:
      'IEDs stands for intracranial electrode diagnostics, which are devices used to monitor brain activity during surgical procedures.',
    site: 'lm_head',
    clean: 2.1928,
    corrupted: 0.9691,
    patched: 2.1928,
    printed: 1,
    trivial: true,
  },
  {
    table: 5,
    ...ASSOCIATION,
    site: 'mlp.c_fc, one layer',
    clean: 0.1261,
    corrupted: -1.4626,
    patched: -0.0899,
    printed: 0.136,
    trivial: false,
  },
];

type ClapNumbers = Pick<ClapTable, 'clean' | 'corrupted' | 'patched'>;

/** (patched − corrupted) / (clean − corrupted), and the share of the gap that was not recovered. */
export function recomputed({ clean, corrupted, patched }: ClapNumbers): { recovery: number; rest: number } {
  const recovery = (patched - corrupted) / (clean - corrupted);
  return { recovery, rest: 1 - recovery };
}

/** The formula with the numbers in it: `(0.43 − (−0.34)) / (0.76 − (−0.34))`. */
export function arithmetic({ clean, corrupted, patched }: ClapNumbers): string {
  const minus = (value: number): string => String(value).replace('-', '−');
  const base = corrupted < 0 ? `(${minus(corrupted)})` : minus(corrupted);
  return `(${minus(patched)} − ${base}) / (${minus(clean)} − ${base})`;
}

/** How the printed share came about, where the numbers tell. */
export function remarkOn(row: ClapTable): string {
  if (row.trivial) return 'trivial: the clean logits are copied back';
  const { rest } = recomputed(row);
  if (Math.abs(rest - row.printed) < 0.001) return 'printed is the share not recovered';
  return Math.abs(row.patched / row.clean - row.printed) < 0.01 ? 'printed is patched / clean' : '';
}
