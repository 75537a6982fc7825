/** One row of Tables 3 to 5 of Bahador 2025 (arXiv 2504.02976), as printed. */
interface ClapTable {
  readonly table: 3 | 4 | 5;
  readonly question: string;
  readonly site: string;
  readonly clean: number;
  readonly corrupted: number;
  readonly patched: number;
  readonly printed: number;
  /** The site copies the clean logits back by construction. */
  readonly trivial: boolean;
}

const ASSOCIATIVE = 'What is the presence of interictal epileptiform discharges associated with?';

export const CLAP_TABLES: readonly ClapTable[] = [
  {
    table: 3,
    question: ASSOCIATIVE,
    site: 'mlp.c_fc, first layer',
    clean: 0.76,
    corrupted: -0.34,
    patched: 0.43,
    printed: 0.56,
    trivial: false,
  },
  {
    table: 4,
    question: 'What is IEDs?',
    site: 'lm_head',
    clean: 2.1928,
    corrupted: 0.9691,
    patched: 2.1928,
    printed: 1,
    trivial: true,
  },
  {
    table: 5,
    question: ASSOCIATIVE,
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
