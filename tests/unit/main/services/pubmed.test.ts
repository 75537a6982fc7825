import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { JobId } from '../../../../src/shared/domain/index.ts';
import { jobsWith } from '../../../../src/main/jobs/registry.ts';
import { createSettingsFile } from '../../../../src/main/services/app/settings.ts';
import type { ServiceContext } from '../../../../src/main/services/context.ts';
import { createFileBroker } from '../../../../src/main/services/files/broker.ts';
import { createPubmed, createPubmedService } from '../../../../src/main/services/pubmed.ts';
import { reportWarnings } from '../../../../src/main/services/report/warnings.ts';
import { memorySecrets } from '../../../../src/main/services/secrets.ts';
import { createStudySession } from '../../../../src/main/services/session.ts';
import { noCompute } from '../../../support/compute.ts';
import { eutilsServer, heldArticles, SHORT_PATIENCE } from '../../../support/eutils.ts';
import { tempFolder } from '../../../support/store.ts';

async function service(url: string, env: Record<string, string> = {}) {
  const base = tempFolder();
  const settings = createSettingsFile(base);
  const pubmed = createPubmed({
    settings,
    secrets: memorySecrets(),
    env: { ENGRAM_PUBMED_URL: url, ...env },
    patience: SHORT_PATIENCE,
  });
  const files = createFileBroker();
  const compute = noCompute();
  const emit = () => undefined;
  const session = createStudySession({
    dataFolder: base,
    registry: jobsWith(pubmed.job),
    compute,
    emit,
    files,
  });
  onTestFinished(() => session.close());
  await session.create(join(base, 'study'), 'Study');
  const context: ServiceContext = {
    session,
    files,
    compute,
    interactive: compute,
    emit,
    dataFolder: base,
    studiesFolder: base,
    resources: 'resources',
  };
  return { api: createPubmedService(context, pubmed), session, settings, files };
}

describe('the PubMed service', () => {
  test('counts, fetches, and says what did not come, also in the report', async () => {
    const server = await eutilsServer(heldArticles(30).map((a) => ({ ...a, gone: a.pmid === 4 })));
    const { api, session, settings, files } = await service(server.url);
    await expect(async () => api.count({ query: 'epilepsy' })).rejects.toMatchObject({
      code: 'PUBMED_EMAIL',
    });
    await expect(async () => api.fetch({ query: 'epilepsy' })).rejects.toMatchObject({
      code: 'PUBMED_EMAIL',
    });
    expect(server.asked).toHaveLength(0);
    settings.set({ ...settings.get(), pubmedEmail: 'someone@example.org' });
    expect(await api.count({ query: 'epilepsy' })).toMatchObject({ count: 30, warnings: [] });
    const { jobId } = await api.fetch({ query: 'epilepsy' });
    const { study, queue } = session.require();
    await queue.wait(JobId.parse(jobId));
    const [source] = study.sources.list();
    expect(await api.search({ sourceId: source!.id })).toMatchObject({ listed: 30, fetched: 29, missing: 1 });
    const { url, name } = await api.missingFile({ sourceId: source!.id });
    expect(name).toBe('PubMed_ epilepsy.missing.txt');
    const offered = files.offered(url.split('/').at(-1) ?? '');
    expect(
      offered !== undefined && 'bytes' in offered.content && Buffer.from(offered.content.bytes).toString(),
    ).toBe('4\n');
    expect(reportWarnings(study, { title: '', author: '', sections: [] })).toContain(
      'PubMed: epilepsy: 1 articles that PubMed lists did not come.',
    );
  });

  test('a key is kept in memory, sent in the body, never answered; the environment stands before it', async () => {
    const server = await eutilsServer(heldArticles(3));
    const { api, settings } = await service(server.url);
    settings.set({ ...settings.get(), pubmedEmail: 'someone@example.org' });
    expect(await api.key({})).toEqual({ present: false, place: 'memory' });
    await expect(async () => api.setKey({ key: 'no key!' })).rejects.toMatchObject({
      code: 'PUBMED_KEY_INVALID',
    });
    expect(await api.setKey({ key: 'abcdef0123456789' })).toEqual({ present: true, place: 'memory' });
    await api.count({ query: 'x' });
    expect(server.asked[0]?.fields.get('api_key')).toBe('abcdef0123456789');
    expect(await api.setKey({ key: null })).toEqual({ present: false, place: 'memory' });
    await api.count({ query: 'x' });
    expect(server.asked[1]?.fields.has('api_key')).toBe(false);

    const other = await service(server.url, {
      ENGRAM_PUBMED_KEY: 'fromoutside1',
      ENGRAM_PUBMED_EMAIL: 'someone@example.org',
    });
    expect(await other.api.key({})).toEqual({ present: true, place: 'environment' });
    await other.api.count({ query: 'x' });
    expect(server.asked[2]?.fields.get('api_key')).toBe('fromoutside1');
  });
});
