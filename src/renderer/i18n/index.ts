import { en, type Messages } from './en.ts';

/** Languages by tag. A new one is a file like en.ts; the compiler names every sentence it lacks. */
const CATALOGUES: Readonly<Record<string, Messages>> = { en };

const language = typeof document === 'undefined' ? 'en' : document.documentElement.lang;

/** All sentences of the interface, in the language of the document. */
export const t: Messages = CATALOGUES[language] ?? en;
