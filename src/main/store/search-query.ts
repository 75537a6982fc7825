/**
 * What a user typed into the search field, as a tree. Words next to each other must all occur; `AND`,
 * `OR`, `NOT` (in capitals), "phrases", prefix* and parentheses work; whatever else stands there is
 * text. There are no wrong queries: unbalanced quotes and parentheses close at the end.
 */
export type SearchNode =
  | { readonly type: 'text'; readonly match: string }
  | { readonly type: 'not'; readonly node: SearchNode }
  | { readonly type: 'and' | 'or'; readonly nodes: readonly SearchNode[] };

interface Token {
  readonly type: 'text' | 'and' | 'or' | 'not' | 'open' | 'close';
  /** For `text`: an FTS5 expression that is one quoted string, with `*` for a prefix. */
  readonly match: string;
}

const TOKEN = /"([^"]*)"?(\*?)|([()])|([^\s()"]+)/gu;
const OPERATORS: Readonly<Record<string, Token['type']>> = {
  AND: 'and',
  OR: 'or',
  NOT: 'not',
  '(': 'open',
  ')': 'close',
};

/** Null when the text holds nothing to search for. */
export function parseSearch(text: string): SearchNode | null {
  const tokens = tokenize(text);
  let at = 0;
  const peek = () => tokens[at]?.type;

  const either = (): SearchNode | null => {
    const nodes = [every()];
    while (peek() === 'or') {
      at++;
      nodes.push(every());
    }
    return join('or', nodes);
  };
  const every = (): SearchNode | null => {
    const nodes: (SearchNode | null)[] = [];
    for (let type = peek(); type !== undefined && type !== 'or' && type !== 'close'; type = peek()) {
      if (type === 'and') at++;
      else nodes.push(single());
    }
    return join('and', nodes);
  };
  const single = (): SearchNode | null => {
    const token = tokens[at++];
    if (token === undefined || token.type === 'or' || token.type === 'and' || token.type === 'close')
      return null;
    if (token.type === 'text') return { type: 'text', match: token.match };
    if (token.type === 'not') {
      const node = single();
      return node && { type: 'not', node };
    }
    const inner = either();
    if (peek() === 'close') at++;
    return inner;
  };

  const parts: (SearchNode | null)[] = [];
  while (at < tokens.length) {
    parts.push(either());
    if (peek() === 'close') at++;
  }
  return join('and', parts);
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  for (const match of text.matchAll(TOKEN)) {
    const [, phrase, star, parenthesis, word] = match;
    const operator = OPERATORS[parenthesis ?? word ?? ''];
    if (operator !== undefined && phrase === undefined) tokens.push({ type: operator, match: '' });
    else {
      const quoted =
        phrase === undefined
          ? quote((word ?? '').replace(/\*+$/, ''), /\*$/.test(word ?? ''))
          : quote(phrase, star === '*');
      if (quoted !== null) tokens.push({ type: 'text', match: quoted });
    }
  }
  return tokens;
}

/** As an FTS5 string, in which nothing is syntax; null when it holds no letter or digit. */
function quote(text: string, prefix: boolean): string | null {
  if (!/[\p{L}\p{N}\p{Co}]/u.test(text)) return null;
  return `"${text.replaceAll('"', ' ')}"${prefix ? ' *' : ''}`;
}

function join(type: 'and' | 'or', nodes: readonly (SearchNode | null)[]): SearchNode | null {
  const present = nodes.filter((n) => n !== null);
  if (present.length <= 1) return present[0] ?? null;
  return { type, nodes: present };
}
