/** A place in the workbench, written in the hash: `#/models/run/3` is page `models`, rest `['run', '3']`. */
export interface Place {
  readonly page: string;
  readonly rest: readonly string[];
}

export function parseHash(hash: string): Place {
  const [page = '', ...rest] = hash
    .replace(/^#?\/?/, '')
    .split('/')
    .map(decodeURIComponent);
  return { page: page === '' ? 'home' : page, rest: rest.filter((part) => part !== '') };
}

export function toHash(page: string, ...rest: readonly (string | number)[]): string {
  return `#/${[page, ...rest].map((part) => encodeURIComponent(String(part))).join('/')}`;
}

export class Router {
  #place = $state.raw<Place>({ page: 'home', rest: [] });
  readonly #page: Window;

  constructor(page: Window) {
    this.#page = page;
    const read = () => (this.#place = parseHash(page.location.hash));
    page.addEventListener('hashchange', read);
    read();
  }

  get page(): string {
    return this.#place.page;
  }

  get rest(): readonly string[] {
    return this.#place.rest;
  }

  go(page: string, ...rest: readonly (string | number)[]): void {
    const hash = toHash(page, ...rest);
    // At once: the next key may come before the browser tells of the new hash.
    this.#place = parseHash(hash);
    this.#page.location.hash = hash;
  }
}
