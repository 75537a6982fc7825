import { describe, expect, test } from 'vitest';
import { parseSearch } from '../../../src/main/store/search-query.ts';
import { addRecords, tempStudy } from '../../support/store.ts';

const text = (match: string) => ({ type: 'text', match });

describe('parseSearch', () => {
  test.each([
    ['interictal-epileptiform', text('"interictal-epileptiform"')],
    ['spike*', text('"spike" *')],
    ['"temporal lobe"', text('"temporal lobe"')],
    ['"temporal lob"*', text('"temporal lob" *')],
    ['a b', { type: 'and', nodes: [text('"a"'), text('"b"')] }],
    ['a OR b c', { type: 'or', nodes: [text('"a"'), { type: 'and', nodes: [text('"b"'), text('"c"')] }] }],
    ['a NOT b', { type: 'and', nodes: [text('"a"'), { type: 'not', node: text('"b"') }] }],
    ['(a OR b) c', { type: 'and', nodes: [{ type: 'or', nodes: [text('"a"'), text('"b"')] }, text('"c"')] }],
    ['or and not', { type: 'and', nodes: [text('"or"'), text('"and"'), text('"not"')] }],
    ['"OR"', text('"OR"')],
  ])('reads %s', (query, tree) => {
    expect(parseSearch(query)).toEqual(tree);
  });

  test.each(['', '   ', '*', '-', '"', '()', 'AND', 'OR OR', 'NOT', '((('])(
    'finds nothing in %j',
    (query) => {
      expect(parseSearch(query)).toBeNull();
    },
  );
});

describe('search over records', () => {
  const titles = [
    'Interictal-epileptiform discharges in sleep',
    'Spikes and memory after temporal lobe surgery',
    'Épilepsie de l’enfant',
    'A spike in the price of bread',
  ];
  const find = (query: string): string[] => {
    const study = tempStudy();
    addRecords(
      study,
      titles.map((title) => ({ title, abstract: `Text of ${title.length}.` })),
    );
    const filter = {
      query,
      decisions: [],
      yearFrom: null,
      yearTo: null,
      terms: [],
      publicationTypes: [],
      journals: [],
      languages: [],
      mesh: [],
      keywords: [],
      sources: [],
      flags: [],
      hideCopies: true,
    };
    return study.curation.page(filter, 0, 10).rows.map((r) => r.title);
  };

  test.each([
    ['interictal-epileptiform', [0]],
    ['spike*', [1, 3]],
    ['spike', [3]],
    ['"lobe temporal"', []],
    ['"temporal lobe"', [1]],
    ['epilepsie', [2]],
    ['spike* NOT bread', [1]],
    ['NOT spike*', [0, 2]],
    ['sleep OR memory', [0, 1]],
    ['(sleep OR memory) spikes', [1]],
  ])('%s', (query, expected) => {
    expect(find(query).sort()).toEqual(expected.map((i) => titles[i]!).sort());
  });

  test.each([
    ['"zebra', []],
    [')(', [0, 1, 2, 3]],
    ['zebra AND', []],
    ['title:(zebra', []],
    ['x^2 NEAR/3', []],
    ["'; DROP TABLE record; --", []],
    ['zebra""lion', []],
    ['*bread', [3]],
    ['{x} : -y', []],
    ['spike* )', [1, 3]],
  ])('a strange query, %s, is an ordinary search', (query, expected) => {
    expect(find(query).sort()).toEqual(expected.map((i) => titles[i]!).sort());
  });
});
