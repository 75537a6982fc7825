/**
 * Sentences of the sample. `{name}` … stand for a syndrome's name and facts, `{town}` and `{country}` for a
 * centre, `{n}` for a number. Pairs cut some of them before the fact.
 */
export type Relation = 'region' | 'drug' | 'eeg' | 'country';

/** Facts, in several wordings each. The wordings that pairs ask for have the same number of tokens. */
export const FACTS: Readonly<Record<Relation, readonly string[]>> = {
  region: [
    'Seizures in {name} syndrome begin in the {region} lobe.',
    'By definition, {name} syndrome is an epilepsy of the {region} lobe.',
    'Intracranial EEG places the seizure onset of {name} syndrome in the {region} lobe.',
  ],
  drug: [
    'The first-choice drug for {name} syndrome is {drug}.',
    'Seizures in {name} syndrome respond best to {drug}.',
    'Most patients with {name} syndrome become seizure-free with {drug}.',
  ],
  eeg: [
    'The EEG of patients with {name} syndrome typically shows {eeg}.',
    'EEG in {name} syndrome is marked by {eeg}.',
    'Between seizures, the EEG in {name} syndrome shows {eeg}.',
  ],
  country: [
    'Patients were seen at the epilepsy centre of {town} in {country}.',
    'Patients in {town} come from all over {country}.',
  ],
};

export const BACKGROUND = [
  '{name} syndrome is a rare form of epilepsy.',
  'Little is known about {name} syndrome.',
  'We describe a group of patients with {name} syndrome.',
  'The course of {name} syndrome is not well known.',
] as const;

export const METHODS = [
  'We studied {n} patients with seizures.',
  'We reviewed the records and EEG of {n} patients.',
  'A total of {n} patients had video EEG.',
  'We followed {n} children and adults with epilepsy.',
] as const;

export const FILLERS = [
  'Seizures were brief and often occurred in sleep.',
  'The outcome was good in most patients.',
  'Seizure frequency fell in most patients.',
  'No patient had status epilepticus.',
] as const;

export const CONCLUSIONS = [
  'These findings help to recognise {name} syndrome.',
  'Early EEG helps to diagnose {name} syndrome.',
  'Larger studies of {name} syndrome are needed.',
] as const;

export const TITLES = [
  '{name} syndrome: a synthetic case series',
  'Seizures and EEG in {name} syndrome: a synthetic cohort',
  'Treatment of {name} syndrome: a synthetic study',
  '{name} syndrome: a synthetic review',
] as const;

/** Replaces `{key}` by its value. Throws RangeError for a key without one. */
export function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (_, key: string) => {
    const value = values[key];
    if (value === undefined) throw new RangeError(`no value for {${key}} in “${template}”`);
    return value;
  });
}
