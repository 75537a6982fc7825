import { yearIn } from '../fields.ts';
import type { XmlElement } from './elements.ts';
import { at, textOf } from './text.ts';

/**
 * The year of publication: <Year>, else the first year in <Season> or <MedlineDate> (`1998 Dec-1999 Jan`),
 * else the date of the electronic article; null where none is given.
 */
export function publicationYear(
  pubDate: XmlElement | undefined,
  electronic: XmlElement | undefined,
): number | null {
  for (const element of [
    at(pubDate, 'Year'),
    at(pubDate, 'Season'),
    at(pubDate, 'MedlineDate'),
    at(electronic, 'Year'),
  ]) {
    const year = yearIn(textOf(element));
    if (year !== null) return year;
  }
  return null;
}

/** The date as printed: `2020 Mar 5`, `2019 Winter`, `1998 Dec-1999 Jan`. */
export function printedDate(pubDate: XmlElement | undefined, electronic: XmlElement | undefined): string {
  const printed = dateText(pubDate);
  const whole = yearIn(printed) !== null || at(pubDate, 'MedlineDate') !== undefined;
  return whole ? printed : dateText(electronic) || printed;
}

function dateText(date: XmlElement | undefined): string {
  const medline = textOf(at(date, 'MedlineDate'));
  if (medline !== '') return medline;
  return ['Year', 'Season', 'Month', 'Day']
    .map((part) => textOf(at(date, part)))
    .filter((text) => text !== '')
    .join(' ');
}

/** A date in full as `{ revised: '2024-03-05' }`; nothing where a part of it is missing. */
export function dayOf(date: XmlElement | undefined): { readonly revised?: string } {
  const part = (name: string) => textOf(at(date, name)).padStart(2, '0');
  const day = `${part('Year')}-${part('Month')}-${part('Day')}`;
  return /^\d{4}-\d{2}-\d{2}$/.test(day) ? { revised: day } : {};
}
