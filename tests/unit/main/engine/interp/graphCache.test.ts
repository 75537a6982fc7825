import { describe, expect, it } from 'vitest';
import type { CompiledGraph, GraphCompiler } from '../../../../../src/main/engine/interp/compiler.ts';
import { GraphCache } from '../../../../../src/main/engine/interp/graphCache.ts';
import { Graph } from '../../../../../src/main/engine/graph/index.ts';
import type { ModelConfig } from '../../../../../src/shared/domain/index.ts';

const config: ModelConfig = {
  family: 'gpt2',
  nLayer: 1,
  nHead: 1,
  dModel: 4,
  dMlp: 16,
  nCtx: 8,
  vocabSize: 10,
  layerNormEps: 1e-5,
  activation: 'gelu_new',
  tiedEmbeddings: true,
  bosTokenId: null,
  eosTokenId: null,
};

/** Compiles to graphs that do nothing, and remembers which are open. */
function recorder(): { compiler: GraphCompiler; open: Set<string>; compiled: string[] } {
  const open = new Set<string>();
  const compiled: string[] = [];
  const compiler: GraphCompiler = {
    weight: () => {
      throw new Error('no weights here');
    },
    compile: (graph): Promise<CompiledGraph> => {
      if (graph.name === 'bad') return Promise.reject(new Error('refused'));
      open.add(graph.name);
      compiled.push(graph.name);
      return Promise.resolve({
        run: () => Promise.resolve({}),
        close: () => {
          open.delete(graph.name);
          return Promise.resolve();
        },
      });
    },
  };
  return { compiler, open, compiled };
}
const named = (name: string) => (): Graph => new Graph(name);

describe('leased graphs', () => {
  it('are compiled once while they are used again, and closed when others come', async () => {
    const { compiler, open, compiled } = recorder();
    const cache = new GraphCache(config, compiler);
    for (const name of ['a', 'a', 'b', 'c']) (await cache.lease(name, named(name))).release();
    expect(compiled).toEqual(['a', 'b', 'c']);
    expect([...open]).toEqual(['b', 'c']);
    (await cache.lease('a', named('a'))).release();
    expect([...open].sort()).toEqual(['a', 'c']);
  });

  it('stay open while somebody uses them', async () => {
    const { compiler, open } = recorder();
    const cache = new GraphCache(config, compiler);
    const first = await cache.lease('a', named('a'));
    const second = await cache.lease('a', named('a'));
    first.release();
    first.release();
    for (const name of ['b', 'c', 'd']) (await cache.lease(name, named(name))).release();
    expect(open.has('a')).toBe(true);
    second.release();
    for (const name of ['b', 'c', 'd']) (await cache.lease(name, named(name))).release();
    expect(open.has('a')).toBe(false);
  });

  it('asked for twice at once are compiled once', async () => {
    const { compiler, compiled } = recorder();
    const cache = new GraphCache(config, compiler);
    for (const name of ['a', 'b']) (await cache.lease(name, named(name))).release();
    const both = await Promise.all([cache.lease('c', named('c')), cache.lease('c', named('c'))]);
    expect(both[0].graph).toBe(both[1].graph);
    expect(compiled).toEqual(['a', 'b', 'c']);
  });

  it('that could not be compiled are tried again', async () => {
    const { compiler } = recorder();
    const cache = new GraphCache(config, compiler);
    await expect(cache.lease('bad', named('bad'))).rejects.toThrow('refused');
    await expect(cache.lease('bad', named('bad'))).rejects.toThrow('refused');
    await expect(cache.get('bad', named('bad'))).rejects.toThrow('refused');
  });
});

describe('kept graphs', () => {
  it('are never closed', async () => {
    const { compiler, open, compiled } = recorder();
    const cache = new GraphCache(config, compiler);
    for (const name of ['a', 'b', 'c', 'a']) await cache.get(name, named(name));
    expect(compiled).toEqual(['a', 'b', 'c']);
    expect(open.size).toBe(3);
  });
});
