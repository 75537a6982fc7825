import { describe, expect, it } from 'vitest';
import { hubAccess } from '../../../../src/main/models/hub/access.ts';
import { listHubModel } from '../../../../src/main/models/hub/index.ts';
import { TOKENIZER_FILES } from '../../../../src/main/models/index.ts';
import { retryAfter } from '../../../../src/main/models/hub/request.ts';
import { DEFAULT_HUB, HubManifest, hubFileUrl, hubRepo } from '../../../../src/shared/domain/index.ts';
import { COMMIT, hubServer, type StoredFile } from '../../../support/hub.ts';

const small = (text: string): StoredFile => ({ content: Buffer.from(text), lfs: false });
const large = (text: string): StoredFile => ({ content: Buffer.from(text), lfs: true });
const FILES = {
  'README.md': small('# Model'),
  'config.json': small('{"model_type":"gpt2"}'),
  'tokenizer.json': small('{}'),
  'model.safetensors': large('weights'),
  'pytorch_model.bin': large('pickle'),
  'onnx/decoder_model.onnx': large('onnx'),
};
const never = new AbortController().signal;

describe('names', () => {
  it('knows short names, owner/name and addresses, and nothing else', () => {
    expect(hubRepo('gpt2')).toBe('openai-community/gpt2');
    expect(hubRepo(' EleutherAI/pythia-70m ')).toBe('EleutherAI/pythia-70m');
    expect(hubRepo('https://huggingface.co/a/b/')).toBe('a/b');
    for (const wrong of ['gpt9', '', '../x', 'a/b/c', 'a/../b', '-a/b', 'a b/c'])
      expect(hubRepo(wrong)).toBeNull();
  });

  it('takes no file outside the list of what a model folder holds', () => {
    const file = { bytes: 1, sha256: null, gitSha1: null };
    const of = (name: string) =>
      HubManifest.safeParse({
        hub: DEFAULT_HUB,
        repo: 'a/b',
        commit: COMMIT,
        gated: false,
        files: [{ ...file, name }],
      }).success;
    expect(of('model-00001-of-00002.safetensors')).toBe(true);
    for (const name of TOKENIZER_FILES) expect(of(name), name).toBe(true);
    for (const name of ['../config.json', 'a/model.safetensors', 'run.py', 'C:\\config.json', 'model.bin'])
      expect(of(name)).toBe(false);
  });
});

describe('the address of the hub', () => {
  it('is what was given, else the environment’s, else the setting', () => {
    const env = { ENGRAM_HUB_URL: 'http://mirror/hf/' };
    expect(hubAccess('https://given', DEFAULT_HUB, env).hub).toBe('https://given');
    expect(hubAccess(null, DEFAULT_HUB, env).hub).toBe('http://mirror/hf');
    expect(hubAccess(null, DEFAULT_HUB, {})).toMatchObject({ hub: DEFAULT_HUB, token: null });
    const token = { ENGRAM_HUB_TOKEN: 'secret' };
    expect(hubAccess(null, DEFAULT_HUB, token).token).toBe('secret');
    expect(hubAccess('http://mirror/hf', DEFAULT_HUB, { ...env, ...token }).token).toBe('secret');
    // Neither a setting nor a file of someone else’s sends it elsewhere.
    expect(hubAccess(null, 'https://elsewhere', token).token).toBeNull();
    expect(hubAccess('https://elsewhere', DEFAULT_HUB, { ...env, ...token }).token).toBeNull();
    expect(() => hubAccess('ftp://x', DEFAULT_HUB, {})).toThrow(/not one of a web server/);
  });
});

describe('Retry-After', () => {
  it('is read as seconds, as a date, or from the rate limit', () => {
    const at = (headers: Record<string, string>) =>
      retryAfter(new Headers(headers), Date.parse('2026-01-01T00:00:00Z'));
    expect(at({ 'retry-after': '7' })).toBe(7000);
    expect(at({ 'retry-after': 'Thu, 01 Jan 2026 00:01:00 GMT' })).toBe(60_000);
    expect(at({ ratelimit: '"resolvers";r=0;t=55' })).toBe(55_000);
    expect(at({})).toBeNull();
  });
});

describe('the files of a model', () => {
  it('are configuration, tokenizer and safetensors, pinned, with the checksums the hub publishes', async () => {
    const hub = await hubServer('owner/name', FILES);
    const manifest = await listHubModel(hub.access, 'owner/name', 'main', never);
    expect(manifest).toMatchObject({ repo: 'owner/name', commit: COMMIT, gated: false, hub: hub.url });
    expect(manifest.files.map(({ name }) => name)).toEqual([
      'tokenizer.json',
      'model.safetensors',
      'config.json',
    ]);
    const [, weights, config] = manifest.files;
    expect(weights).toMatchObject({
      bytes: 7,
      gitSha1: null,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    });
    // From `git hash-object` of the same text.
    expect(config).toMatchObject({ sha256: null, gitSha1: '681c693376013230a961d427942459a2ac613f60' });
    expect(hubFileUrl(manifest, 'config.json')).toBe(`${hub.url}/owner/name/resolve/${COMMIT}/config.json`);
    expect(hub.requests).toHaveLength(1);
  });

  it('are index and shards where there is no single file', async () => {
    const { 'model.safetensors': _single, ...rest } = FILES;
    const hub = await hubServer('o/n', {
      ...rest,
      'model.safetensors.index.json': small('{"weight_map":{}}'),
      'model-00001-of-00002.safetensors': large('one'),
      'model-00002-of-00002.safetensors': large('two'),
    });
    const { files } = await listHubModel(hub.access, 'o/n', 'main', never);
    expect(files.map(({ name }) => name).filter((name) => name.startsWith('model'))).toEqual([
      'model-00001-of-00002.safetensors',
      'model-00002-of-00002.safetensors',
      'model.safetensors.index.json',
    ]);
  });

  it('are refused with the next step where the weights would run code', async () => {
    const { 'model.safetensors': _single, ...rest } = FILES;
    const hub = await hubServer('o/n', rest);
    await expect(listHubModel(hub.access, 'o/n', 'main', never)).rejects.toMatchObject({
      kind: 'user',
      code: 'HUB_NO_SAFETENSORS',
      message: expect.stringContaining('pytorch_model.bin') as string,
      next: expect.stringContaining('save_pretrained') as string,
    });
  });

  it('names what is wrong with a name, a revision, an answer, a network', async () => {
    const hub = await hubServer('o/n', FILES);
    const listing = (name: string, revision = 'main') => listHubModel(hub.access, name, revision, never);
    await expect(listing('no such name')).rejects.toMatchObject({
      code: 'HUB_NAME_INVALID',
      next: expect.stringContaining('gpt2-xl') as string,
    });
    await expect(listing('o/other')).rejects.toMatchObject({
      code: 'HUB_MODEL_UNKNOWN',
      message: expect.stringContaining('o/other') as string,
    });
    await expect(listing('o/n', 'v9')).rejects.toMatchObject({ code: 'HUB_REVISION_UNKNOWN' });
    hub.onListing = (response) => {
      response.end('<html>sign in to the hotel</html>');
      return true;
    };
    await expect(listing('o/n')).rejects.toMatchObject({ kind: 'format', code: 'HUB_ANSWER_INVALID' });
    hub.onListing = (response) => {
      response.writeHead(429, { 'retry-after': '30' }).end();
      return true;
    };
    await expect(listing('o/n')).rejects.toMatchObject({ code: 'HUB_BUSY' });
    hub.onListing = (response) => {
      response.writeHead(503).end();
      return true;
    };
    await expect(listing('o/n')).rejects.toMatchObject({ kind: 'engine', code: 'HUB_FAILED' });
    const gone = { ...hub.access, hub: 'http://127.0.0.1:9' };
    await expect(listHubModel(gone, 'o/n', 'main', never)).rejects.toMatchObject({
      code: 'HUB_UNREACHABLE',
      message: expect.stringMatching(/127\.0\.0\.1:9 .*\(/) as string,
    });
  });
});
