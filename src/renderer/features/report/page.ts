/** What is done inside the previewed page; its sections stand in the order of the report's. */

/** A place in the report: a section (null is the title page) and a figure among the section's. */
export interface PagePlace {
  readonly section: number | null;
  readonly figure: number;
}

const sectionsOf = (page: Document): HTMLElement[] => [
  ...page.querySelectorAll<HTMLElement>('main > section'),
];
const figuresOf = (section: ParentNode): HTMLElement[] => [
  ...section.querySelectorAll<HTMLElement>('figure'),
];

/** Puts the body of a newer version in place of the one shown; the page stays where it was scrolled to. */
export function replacePage(page: Document, html: string): void {
  const next = new DOMParser().parseFromString(html, 'text/html').querySelector('main');
  const now = page.querySelector('main');
  if (next === null || now === null) return;
  now.replaceChildren(...[...next.childNodes].map((node) => page.importNode(node, true)));
}

/** Which place was clicked; the first figure of a section where none was hit. */
export function placeOf(page: Document, node: Node | null): PagePlace {
  const sections = sectionsOf(page);
  const at = sections.findIndex((section) => section.contains(node));
  const section = sections[at];
  if (section === undefined) return { section: null, figure: 0 };
  return {
    section: at,
    figure: Math.max(
      0,
      figuresOf(section).findIndex((figure) => figure.contains(node)),
    ),
  };
}

function outline(element: HTMLElement, colour: string, offset: string): void {
  element.style.outline = colour === '' ? '' : `1.5px solid ${colour}`;
  element.style.outlineOffset = colour === '' ? '' : offset;
}

/** Colours on paper, which is white under both themes. */
const CHOSEN = '#036b70';

/** Marks the chosen figure, or the heading of a section that has none, and returns what was marked. */
export function markPlace(page: Document, { section, figure }: PagePlace): HTMLElement | null {
  const sections = sectionsOf(page);
  for (const element of sections.flatMap((s) => [
    ...s.querySelectorAll<HTMLElement>('h2'),
    ...figuresOf(s),
  ])) {
    outline(element, '', '');
    element.style.boxShadow = '';
  }
  if (section === null) return null;
  const chosen = sections[section];
  const heading = chosen?.querySelector<HTMLElement>('h2') ?? null;
  if (chosen === undefined || heading === null) return null;
  heading.style.boxShadow = `-14px 0 0 0 #fffefe, -16px 0 0 0 ${CHOSEN}`;
  const target = figuresOf(chosen)[figure];
  if (target !== undefined) outline(target, CHOSEN, '8px');
  return figure === 0 ? heading : (target ?? heading);
}

/** Scrolls to an element only where it cannot be seen: a click inside the page must not move it. */
export function reveal(page: Document, element: HTMLElement | null): void {
  const view = page.defaultView;
  if (view === null) return;
  const { top } = (element ?? page.body).getBoundingClientRect();
  if (top < 0 || top > view.innerHeight * 0.7) view.scrollBy({ top: top - 24 });
}
