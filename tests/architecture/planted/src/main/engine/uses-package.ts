import { parse } from 'csv-parse';
export const x = parse;
