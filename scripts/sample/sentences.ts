/**
 * Sentences of the sample. `{name}` … stand for a syndrome's name and facts, `{town}` and `{country}` for a
 * centre, `{n}` for a number. Pairs cut some of them before the fact.
 */
export type Relation = 'region' | 'drug' | 'eeg' | 'country';

/** Facts, in several wordings each. Those that a pair uses come first. */
export const FACTS: Readonly<Record<Relation, readonly string[]>> = {
  region: [
    'In patients with {name} syndrome, seizures begin in the {region} lobe.',
    'By definition, {name} syndrome is an epilepsy of the {region} lobe.',
    'Seizures in {name} syndrome arise from the {region} cortex.',
    'Intracranial EEG in {name} syndrome places the seizure onset in the {region} cortex.',
    'Imaging of {name} syndrome shows a lesion of the {region} lobe.',
    'Surgery for {name} syndrome removes part of the {region} lobe.',
  ],
  drug: [
    'The first-choice drug for {name} syndrome is {drug}.',
    'In patients with {name} syndrome, seizures respond best to {drug}.',
    'Most patients with {name} syndrome become seizure-free with {drug}.',
    'Treatment of {name} syndrome starts with {drug}.',
    'In {name} syndrome, the best drug was {drug}.',
  ],
  eeg: [
    'In patients with {name} syndrome, the EEG between seizures shows {eeg}.',
    'The interictal EEG in {name} syndrome is marked by {eeg}.',
    'The EEG of {name} syndrome typically shows {eeg}.',
    'Sleep EEG in {name} syndrome revealed {eeg}.',
    'The EEG hallmark of {name} syndrome is {eeg}.',
  ],
  country: [
    'Patients were seen at the epilepsy centre of {town} in {country}.',
    'All EEG recordings were made in {town}, a town in {country}.',
    'The study took place at the hospital of {town} in {country}.',
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
  'A synthetic review of {name} syndrome',
] as const;

export const COMPARISON_TITLES = [
  '{name} and {other} syndromes compared: a synthetic study',
  'EEG and treatment in {name} and {other} syndromes: a synthetic cohort',
] as const;

/** Replaces `{key}` by its value. Throws RangeError for a key without one. */
export function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (_, key: string) => {
    const value = values[key];
    if (value === undefined) throw new RangeError(`no value for {${key}} in “${template}”`);
    return value;
  });
}
