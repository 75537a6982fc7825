/**
 * The invented world of the bundled sample. Nothing here exists: syndromes, drugs and towns are made up, so
 * that no one can take a sentence of the sample for medicine, and no model can have read it elsewhere.
 */
export interface Syndrome {
  /** `Aldermoor`, as in “Aldermoor syndrome”. */
  readonly name: string;
  /** Where seizures begin: `temporal`. */
  readonly region: string;
  /** First-choice drug. */
  readonly drug: string;
  /** What the EEG shows between seizures. */
  readonly eeg: string;
}

export interface Centre {
  readonly town: string;
  readonly country: string;
}

/**
 * Every value belongs to two syndromes, no two syndromes share more than one value, and neighbours in the
 * list (the last and the first too) share none, so that they can stand against each other in pairs.
 */
export const SYNDROMES: readonly Syndrome[] = [
  { name: 'Aldermoor', region: 'temporal', drug: 'nimprazate', eeg: 'suppression' },
  { name: 'Brennick', region: 'frontal', drug: 'belvamide', eeg: 'spikes' },
  { name: 'Castelvane', region: 'parietal', drug: 'tarvagine', eeg: 'spindles' },
  { name: 'Dorrinval', region: 'occipital', drug: 'ostrigam', eeg: 'polyspikes' },
  { name: 'Elsmark', region: 'insular', drug: 'fendurate', eeg: 'suppression' },
  { name: 'Farrowdale', region: 'cingulate', drug: 'tarvagine', eeg: 'slowing' },
  { name: 'Galverton', region: 'temporal', drug: 'fendurate', eeg: 'spindles' },
  { name: 'Hesperling', region: 'frontal', drug: 'ostrigam', eeg: 'ripples' },
  { name: 'Ivanhurst', region: 'parietal', drug: 'lorvexin', eeg: 'polyspikes' },
  { name: 'Jorrevik', region: 'occipital', drug: 'belvamide', eeg: 'slowing' },
  { name: 'Kelmscar', region: 'insular', drug: 'nimprazate', eeg: 'spikes' },
  { name: 'Lundarre', region: 'cingulate', drug: 'lorvexin', eeg: 'ripples' },
];

export const CENTRES: readonly Centre[] = [
  { town: 'Arnvik', country: 'Norway' },
  { town: 'Belcastro', country: 'Italy' },
  { town: 'Corvalle', country: 'Spain' },
  { town: 'Drumlogan', country: 'Ireland' },
  { town: 'Eschenried', country: 'Austria' },
  { town: 'Fontbrune', country: 'France' },
];
