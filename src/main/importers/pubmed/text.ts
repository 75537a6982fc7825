import { isPlain } from '../xml/plain.ts';
import type { XmlElement } from './elements.ts';
import { toSubscript, toSuperscript } from './scripts.ts';

/** The child elements of this name, in order. */
export function childrenOf(element: XmlElement | undefined, name: string): XmlElement[] {
  const found: XmlElement[] = [];
  for (const child of element?.children ?? []) {
    if (typeof child !== 'string' && child.name === name) found.push(child);
  }
  return found;
}

/** The first element reached by following child names from `element`; undefined where the path ends. */
export function at(element: XmlElement | undefined, ...path: readonly string[]): XmlElement | undefined {
  let here = element;
  for (const name of path) here = childOf(here, name);
  return here;
}

function childOf(element: XmlElement | undefined, name: string): XmlElement | undefined {
  if (element === undefined) return undefined;
  for (const child of element.children) {
    if (typeof child !== 'string' && child.name === name) return child;
  }
  return undefined;
}

/** All descendants of this name, in document order, after those found before. */
export function descendantsOf(
  element: XmlElement | undefined,
  name: string,
  found: XmlElement[] = [],
): XmlElement[] {
  for (const child of element?.children ?? []) {
    if (typeof child === 'string') continue;
    if (child.name === name) found.push(child);
    if (child.children.length > 0) descendantsOf(child, name, found);
  }
  return found;
}

/**
 * The text of an element: that of all its descendants, white space kept between them and then collapsed,
 * so that inline markup neither cuts a text short nor glues words together.
 */
export function textOf(element: XmlElement | undefined): string {
  return element === undefined ? '' : (element.plain ?? collapse(rawText(element)));
}

/** Runs of white space of any kind to one space; none at the ends. */
function collapse(text: string): string {
  return isPlain(text) ? text : text.replace(/\s+/g, ' ').trim();
}

function rawText(node: XmlElement | string): string {
  if (typeof node === 'string') return node;
  const { name } = node;
  const render = INLINE.get(name.includes(':') ? localName(name) : name);
  return render === undefined ? inner(node) : render(node);
}

function inner(element: XmlElement): string {
  if (element.plain !== undefined) return element.plain;
  let text = '';
  for (const child of element.children) text += rawText(child);
  return text;
}

/** `mml:msup` -> `msup`. */
function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

/** How inline markup and MathML are flattened; everything else is its text. */
const INLINE: ReadonlyMap<string, (element: XmlElement) => string> = new Map(
  Object.entries<(element: XmlElement) => string>({
    sup: (e) => toSuperscript(inner(e)),
    sub: (e) => toSubscript(inner(e)),
    math: (e) => collapse(inner(e)),
    msup: (e) => part(e, 0) + above(part(e, 1)),
    msub: (e) => part(e, 0) + below(part(e, 1)),
    msubsup: (e) => part(e, 0) + below(part(e, 1)) + above(part(e, 2)),
    mfrac: (e) => `${group(part(e, 0))}/${group(part(e, 1))}`,
    msqrt: (e) => `√${group(collapse(inner(e)))}`,
    mspace: () => ' ',
    annotation: () => '',
    'annotation-xml': () => '',
  }),
);

/** The text of the i-th child element of a MathML construct. */
function part(element: XmlElement, index: number): string {
  const parts = element.children.filter((child) => typeof child !== 'string');
  const found = parts[index];
  return found === undefined ? '' : collapse(rawText(found));
}

/** An exponent that has no raised characters is written `^(…)`, an index `_(…)`. */
function above(text: string): string {
  const raised = toSuperscript(text);
  return raised === text && text !== '' ? `^${group(text)}` : raised;
}

function below(text: string): string {
  const lowered = toSubscript(text);
  return lowered === text && text !== '' ? `_${group(text)}` : lowered;
}

function group(text: string): string {
  return /^[\p{L}\p{N}.]*$/u.test(text) ? text : `(${text})`;
}
