import { describe, expect, it } from 'vitest';
import { xmlElements } from '../../../src/main/importers/pubmed/elements.ts';
import { MAX_UNIT_CHARS } from '../../../src/main/importers/types.ts';
import { article, articleSet, collect, errorOf } from './support.ts';

const many = Array.from({ length: 20 }, (_, i) => article({ pmid: String(i + 1) }));

describe('a document with a fault', () => {
  it('keeps the articles before a cut, wherever it is', async () => {
    const whole = articleSet(...many);
    for (const share of [0.2, 0.5, 0.77, 0.999]) {
      const cut = whole.slice(0, Math.floor(whole.length * share));
      const complete = cut.split('</PubmedArticle>').length - 1;
      const { records, error } = await collect(cut, 'cut.xml');
      expect(records.length).toBe(complete);
      expect(error).toMatchObject({ kind: 'format', code: 'IMPORT_XML_TRUNCATED' });
      expect(error?.message).toContain('cut.xml');
      expect(error?.message).toContain(`line ${cut.split('\n').length}`);
    }
  });

  it('says so when it is cut before its first element', async () => {
    const { error } = await collect('<?xml version="1.0"?>\n<!DOCTYPE PubmedArticleSet>\n', 'cut.xml');
    expect(error?.code).toBe('IMPORT_XML_TRUNCATED');
  });

  it('keeps the articles before the first malformed place and names its line', async () => {
    const lines = articleSet(...many).split('\n');
    const broken = lines.findIndex((line) => line.includes('>11</PMID>'));
    lines[broken + 2] = '<ArticleTitle>Unescaped < sign</ArticleTitle>';
    const { records, error } = await collect(lines.join('\n'), 'broken.xml');
    expect(records.map((r) => r.pmid)).toEqual(Array.from({ length: 10 }, (_, i) => String(i + 1)));
    expect(error).toMatchObject({ kind: 'format', code: 'IMPORT_XML_MALFORMED' });
    expect(error?.message).toContain(`broken.xml, line ${broken + 3}`);
  });

  it('does not replace bytes that are no text', async () => {
    const bytes = Buffer.from(articleSet(...many));
    bytes[bytes.length - 100] = 0xff;
    const { records, error } = await collect(bytes, 'bytes.xml');
    expect(error).toMatchObject({ code: 'IMPORT_ENCODING' });
    expect(records.length).toBe(19);
  });
});

describe('hostile documents', () => {
  it('are refused when they declare entities, used or not', async () => {
    const bomb = articleSet(article({ title: '&lol3;' })).replace(
      /<!DOCTYPE[^>]*>/,
      '<!DOCTYPE PubmedArticleSet [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;"><!ENTITY lol3 "&lol2;&lol2;">]>',
    );
    const { records, error } = await collect(bomb, 'bomb.xml');
    expect(records).toEqual([]);
    expect(error).toMatchObject({ code: 'IMPORT_XML_ENTITIES', kind: 'format' });
    const external = articleSet(article()).replace(
      /<!DOCTYPE[^>]*>/,
      '<!DOCTYPE PubmedArticleSet [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
    );
    expect((await collect(external, 'external.xml')).error?.code).toBe('IMPORT_XML_ENTITIES');
  });

  it('are refused when they use an entity that XML does not have', async () => {
    const { records, error } = await collect(articleSet(article({ title: 'a&nbsp;b' })), 'named.xml');
    expect(records).toEqual([]);
    expect(error?.code).toBe('IMPORT_XML_MALFORMED');
    expect(error?.message).toContain('undefined entity');
  });

  it('are refused when they nest without end', async () => {
    const { error } = await collect(articleSet(article(), '<a>'.repeat(5000)), 'deep.xml');
    expect(error?.code).toBe('IMPORT_XML_TOO_LARGE');
  });

  const million = 1024 * 1024;
  const endless: [string, string, string][] = [
    ['a text', '<PubmedArticleSet>', 'a'.repeat(million)],
    ['a comment', '<PubmedArticleSet><!--', 'a'.repeat(million)],
    ['a tag', '<PubmedArticleSet><a ', 'b="1" '.repeat(million / 4)],
    ['an attribute', '<PubmedArticleSet><a b="', 'b'.repeat(million)],
    ['a crowd of empty elements', '<PubmedArticleSet><PubmedArticle>', '<a/>'.repeat(million / 16)],
    ['a DOCTYPE', '<!DOCTYPE PubmedArticleSet [', ' '.repeat(million)],
    ['an article', '<PubmedArticleSet><PubmedArticle>', `<a>${'b'.repeat(million)}</a>`],
  ];
  it.each(endless)(
    'are refused when %s does not end, before it fills the memory',
    async (_what, start, more) => {
      let fed = 0;
      async function* source(): AsyncGenerator<Uint8Array> {
        yield Buffer.from(start);
        for (let i = 0; i < 2000; i += 1) {
          await Promise.resolve();
          fed += more.length;
          yield Buffer.from(i % 2 === 0 ? more : more.replaceAll('b="', `b${i}="`));
        }
      }
      const read = async (): Promise<void> => {
        const options = {
          file: 'endless.xml',
          wanted: new Set(['PubmedArticle']),
          skipped: new Set<string>(),
          structural: new Set<string>(),
          roots: new Set(['PubmedArticleSet']),
        };
        for await (const element of xmlElements(source(), options)) expect(element).toBeUndefined();
      };
      const error = await errorOf(read());
      expect(error.code).toBe('IMPORT_XML_TOO_LARGE');
      expect(error.message).toContain('endless.xml');
      expect(fed).toBeLessThan(MAX_UNIT_CHARS + 3 * million);
    },
  );
});
