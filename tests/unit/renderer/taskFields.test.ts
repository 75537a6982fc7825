import { describe, expect, it } from 'vitest';
import { specOf, startValues, TASK_FIELDS } from '../../../src/renderer/features/pairs/taskFields.ts';
import { t } from '../../../src/renderer/i18n/index.ts';
import { TASK_IDS, TaskSpec } from '../../../src/shared/domain/index.ts';

describe('the form of a task', () => {
  it.each(TASK_IDS.filter((task) => task !== 'template'))('%s is complete as it opens', (task) => {
    expect(specOf(task, startValues(task))).toEqual(TaskSpec.parse({ task }));
  });

  it('names each of its choices', () => {
    const options = Object.values(TASK_FIELDS).flatMap((fields) => fields.flatMap((f) => f.options ?? []));
    expect(options.filter((option) => t.tasks.options[option] === undefined)).toEqual([]);
  });

  it('reads subjects and slots line by line, and is no task before there are two subjects', () => {
    const values = {
      ...startValues('template'),
      template: 'In {group} with {subject}, there are',
      subjects: 'epilepsy = seizures\nno equals sign\n',
      slots: 'group = people, young adults',
    };
    expect(specOf('template', values)).toBeNull();
    expect(specOf('template', { ...values, subjects: `${values.subjects}dementia = falls` })).toMatchObject({
      subjects: [
        { term: 'epilepsy', answer: 'seizures' },
        { term: 'dementia', answer: 'falls' },
      ],
      slots: { group: ['people', 'young adults'] },
    });
  });

  it('reads questions of the user’s, and refuses one without a wrong answer', () => {
    const questions = 'What is EEG? | A recording. | A drug. | definitional';
    expect(specOf('clap', { ...startValues('clap'), questions })).toMatchObject({
      questions: [
        { question: 'What is EEG?', right: 'A recording.', wrong: 'A drug.', type: 'definitional' },
      ],
    });
    expect(specOf('clap', { ...startValues('clap'), questions: 'What? | This.' })).toBeNull();
  });

  it('is no task with a count that is no number, or without an operator', () => {
    expect(specOf('ioi', { ...startValues('ioi'), count: 'ten' })).toBeNull();
    expect(specOf('ioi', { ...startValues('ioi'), count: '0' })).toBeNull();
    expect(specOf('arithmetic', { ...startValues('arithmetic'), operators: '' })).toBeNull();
  });
});
