import type { TaskSpecs } from '../../../../shared/domain/index.ts';

/** A relation: a template over {subject} and what each subject asks for. */
export interface Relation {
  readonly template: string;
  readonly entries: readonly { readonly term: string; readonly answer: string }[];
}

const entries = (text: string): Relation['entries'] =>
  text
    .trim()
    .split(/\s*\n\s*/)
    .flatMap((line) => line.split(/\s*;\s*/))
    .filter((entry) => entry !== '')
    .map((entry) => {
      const [term = '', answer = ''] = entry.split(/\s*=\s*/);
      return { term, answer };
    });

export const RELATIONS: Readonly<Record<TaskSpecs['factual']['relations'][number], Relation>> = {
  capital: {
    template: 'The capital of {subject} is the city of',
    entries: entries(`
      France = Paris; Spain = Madrid; Italy = Rome; Germany = Berlin; Russia = Moscow; Japan = Tokyo
      China = Beijing; Egypt = Cairo; Greece = Athens; Austria = Vienna; Portugal = Lisbon; Poland = Warsaw
      Hungary = Budapest; Ireland = Dublin; England = London; Scotland = Edinburgh; Sweden = Stockholm
      Norway = Oslo; Finland = Helsinki; Denmark = Copenhagen; Belgium = Brussels; Turkey = Ankara
      Iran = Tehran; Iraq = Baghdad; Syria = Damascus; Lebanon = Beirut; Cuba = Havana; Peru = Lima
      Canada = Ottawa; Thailand = Bangkok; Kenya = Nairobi; Ukraine = Kiev; Afghanistan = Kabul
      Venezuela = Caracas; Chile = Santiago; Israel = Jerusalem`),
  },
  language: {
    template: 'Most people in {subject} speak the language called',
    entries: entries(`
      France = French; Spain = Spanish; Italy = Italian; Germany = German; Russia = Russian; Japan = Japanese
      China = Chinese; Egypt = Arabic; Greece = Greek; Austria = German; Portugal = Portuguese; Poland = Polish
      England = English; Sweden = Swedish; Norway = Norwegian; Finland = Finnish; Denmark = Danish
      Turkey = Turkish; Iran = Persian; Iraq = Arabic; Brazil = Portuguese; Mexico = Spanish; Peru = Spanish
      Australia = English; Thailand = Thai; Ukraine = Ukrainian; Hungary = Hungarian; Israel = Hebrew`),
  },
  continent: {
    template: '{subject} is a country on the continent of',
    entries: entries(`
      France = Europe; Spain = Europe; Italy = Europe; Germany = Europe; Poland = Europe; Sweden = Europe
      Japan = Asia; China = Asia; India = Asia; Thailand = Asia; Vietnam = Asia; Nepal = Asia
      Egypt = Africa; Kenya = Africa; Nigeria = Africa; Ghana = Africa; Uganda = Africa; Ethiopia = Africa`),
  },
  currency: {
    template: 'What people pay with in {subject} is the',
    entries: entries(`
      Japan = yen; India = rupee; China = yuan; Russia = ruble; Mexico = peso; England = pound
      Germany = euro; Canada = dollar; Brazil = real; Switzerland = franc; Turkey = lira; Poland = zloty`),
  },
};
