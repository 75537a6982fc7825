import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { DownloadOffer } from '../../src/main/services/files.ts';
import { createCurateService } from '../../src/main/services/curate.ts';
import { createFileBroker } from '../../src/main/services/files/broker.ts';
import { createLibraryService } from '../../src/main/services/library.ts';
import type { ServiceContext } from '../../src/main/services/context.ts';
import { JOBS } from '../../src/main/jobs/registry.ts';
import { createJobQueue } from '../../src/main/jobs/runner.ts';
import { createStudy } from '../../src/main/store/index.ts';
import { RecordFilter } from '../../src/shared/contracts/index.ts';
import { JobId, RecordFileFormat, type RecordId } from '../../src/shared/domain/index.ts';
import { collect } from '../unit/importers/support.ts';
import { noCompute } from '../support/compute.ts';
import { addRecords, tempFolder } from '../support/store.ts';

const ALL = RecordFilter.parse({});

/** The services of one open study, with a broker that also shows what was offered. */
function workbench() {
  const folder = tempFolder();
  const study = createStudy(join(folder, 'study'), 'S');
  const queue = createJobQueue({ study, registry: JOBS, compute: noCompute(), emit: () => undefined });
  const broker = createFileBroker();
  onTestFinished(async () => {
    await queue.close();
    study.close();
  });
  const open = { study, queue, info: { handle: '', name: 'S', path: '', synthetic: false, openedAt: '' } };
  const context = {
    session: { require: () => open, current: () => open },
    files: broker,
    emit: () => undefined,
  } as unknown as ServiceContext;
  const write = (name: string, content: string | Uint8Array): string => {
    const path = join(folder, name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, content);
    return broker.register(path).handle;
  };
  const offered = (url: string): Uint8Array => {
    const offer: DownloadOffer | undefined = broker.offered(url.split('/').at(-1) ?? '');
    if (offer === undefined) throw new Error('nothing was offered');
    return 'bytes' in offer.content ? offer.content.bytes : readFileSync(offer.content.path);
  };
  const library = createLibraryService(context);
  const run = async (files: string[], columns: string[] = []) => {
    const jobId = JobId.parse((await library.import({ files, columns })).jobId);
    await queue.wait(jobId);
    return queue.log(jobId).map((l) => l.line);
  };
  return { study, folder, broker, library, curate: createCurateService(context), write, offered, run };
}

describe('a table with other columns', () => {
  test('is shown with its first rows, and imported as the person says', async () => {
    const { library, write, run, study } = workbench();
    const table = write('export.csv', 'Ident;Title;Summary\n7;A;First\n8;B;"Second\nline"\n9;C;\n');
    expect(await library.preview({ file: table })).toEqual({
      label: 'CSV or TSV',
      columns: [
        { name: 'Ident', field: null, samples: ['7', '8', '9'] },
        { name: 'Title', field: 'title', samples: ['A', 'B', 'C'] },
        { name: 'Summary', field: null, samples: ['First', 'Second line', ''] },
      ],
    });
    await run([table], ['Summary=abstract', 'Ident=pmid', 'Title=none']);
    expect(study.sources.list()[0]).toMatchObject({ kind: 'csv', read: 3, added: 2, rejected: 1 });
    expect(study.records.get(1 as RecordId)).toMatchObject({ pmid: '7', title: '', abstract: 'First' });
    const xml = write('a.xml', '<PubmedArticleSet></PubmedArticleSet>');
    expect(await library.preview({ file: xml })).toEqual({ label: 'PubMed XML', columns: null });
    await expect(library.import({ files: [table], columns: ['Summary=text'] })).rejects.toMatchObject({
      code: 'IMPORT_MAP',
    });
  });

  test('has its rejects as a file that no spreadsheet runs', async () => {
    const { library, write, run, study, offered } = workbench();
    await run([write('a.csv', 'Title,Abstract\n=cmd(),\nB,text\n')]);
    const source = study.sources.list()[0]!;
    expect(library.rejects({ sourceId: source.id })).toEqual([
      { line: 2, key: '=cmd()', reason: 'No abstract' },
    ]);
    const { url } = await library.rejectsFile({ sourceId: source.id });
    expect(Buffer.from(offered(url)).toString()).toBe("line,key,reason\n2,'=cmd(),No abstract\n");
  });
});

describe('a folder of baseline and update files', () => {
  const article = (pmid: number, text: string, version = 1) =>
    `<PubmedArticle><MedlineCitation><PMID Version="${version}">${pmid}</PMID><Article><ArticleTitle>T${pmid}</ArticleTitle><Abstract><AbstractText>${text}</AbstractText></Abstract></Article></MedlineCitation></PubmedArticle>`;
  const set = (...parts: string[]) =>
    gzipSync(`<?xml version="1.0"?><PubmedArticleSet>${parts.join('')}</PubmedArticleSet>`);
  const sum = (name: string, bytes: Uint8Array) =>
    `MD5(${name})= ${createHash('md5').update(bytes).digest('hex')}\n`;
  const files = {
    'pubmed25n0002.xml.gz': set(article(2, 'second, corrected', 2), article(3, 'third')),
    'pubmed25n0010.xml.gz': set(
      '<DeleteCitation><PMID Version="1">3</PMID><PMID Version="1">9</PMID></DeleteCitation>',
    ),
    'pubmed25n0001.xml.gz': set(article(1, 'first'), article(2, 'second, as printed')),
  };

  test('is imported by number, sums checked, with deletions and versions', async () => {
    const { folder, broker, write, run, study } = workbench();
    for (const [name, bytes] of Object.entries(files)) {
      write(`baseline/${name}`, bytes);
      write(`baseline/${name}.md5`, sum(name, bytes));
    }
    write('baseline/README.txt', 'Nothing to import here.');
    const log = await run([broker.register(join(folder, 'baseline')).handle]);
    expect(study.sources.list().map((s) => s.name)).toEqual([
      'pubmed25n0001.xml.gz',
      'pubmed25n0002.xml.gz',
      'pubmed25n0010.xml.gz',
    ]);
    expect(study.curation.page(ALL, 0, 10).rows.map((r) => [r.pmid, r.copies, r.decision, r.reason])).toEqual(
      [
        ['1', 1, 'undecided', null],
        ['2', 2, 'undecided', null],
        ['3', 1, 'exclude', 'Deleted from PubMed'],
      ],
    );
    expect(study.records.get(3 as RecordId)).toMatchObject({ abstract: 'second, corrected', version: 2 });
    expect(log.some((line) => line.includes('README.txt'))).toBe(true);
    expect(log.some((line) => line.includes('leave out number 3 to 9'))).toBe(true);
  });

  test('leaves out a file that is not what was published, and imports the others', async () => {
    const { write, run, study } = workbench();
    const bytes = files['pubmed25n0001.xml.gz'];
    const handles = [
      write('pubmed25n0002.xml.gz', files['pubmed25n0002.xml.gz']),
      write('sums/pubmed25n0001.xml.gz.md5', sum('pubmed25n0001.xml.gz', Buffer.from('other'))),
      write('pubmed25n0001.xml.gz', bytes),
    ];
    await expect(run(handles)).rejects.toMatchObject({ code: 'IMPORT_MD5' });
    expect(study.sources.list().map((s) => [s.name, s.added])).toEqual([['pubmed25n0002.xml.gz', 2]]);
    write('sums/pubmed25n0001.xml.gz.md5', sum('pubmed25n0001.xml.gz', bytes));
    await run(handles);
    expect(study.records.count()).toBe(3);
    await expect(run([write('alone.md5', '')])).rejects.toMatchObject({ code: 'IMPORT_FOLDER_EMPTY' });
  });
});

describe('exported records', () => {
  const records = [
    {
      pmid: '1',
      doi: '10.1/a',
      title: '=HYPERLINK("x") & <b>',
      abstract: 'BACKGROUND: One, "two".\nRESULTS: μV; p < 0.05.',
      authors: ['Doe J', 'Synthetic Study Group'],
      keywords: ['spike', 'wave'],
      year: 2020,
      url: 'https://pubmed.ncbi.nlm.nih.gov/1/',
    },
    {
      pmid: '2',
      title: '+1 and -1',
      abstract: 'Text 2',
      year: 2019,
      url: 'https://pubmed.ncbi.nlm.nih.gov/2/',
    },
  ];

  test.each(RecordFileFormat.options)('as %s come back as they were', async (format) => {
    const { curate, study, offered } = workbench();
    addRecords(study, records);
    study.decisions.decide([2 as RecordId], 'exclude', 'Off topic');
    const { url, name } = await curate.export({ filter: ALL, format });
    const bytes = offered(url);
    const back = await collect(bytes, name);
    expect([back.kind, back.error, back.records.length]).toEqual([format, null, 2]);
    const whole = back.records.map((r) => ({
      ...r,
      // A spreadsheet shows the apostrophe that keeps a text from being run; RIS has one line a field.
      title: r.title.replace(/^'/, ''),
      abstract: r.abstract.replace(/\s+/g, ' '),
    }));
    expect(whole).toMatchObject(records.map((r) => ({ ...r, abstract: r.abstract.replace(/\s+/g, ' ') })));
    const narrowed = await curate.export({ filter: { ...ALL, decisions: ['exclude'] }, format });
    expect((await collect(offered(narrowed.url), name)).records.map((r) => r.pmid)).toEqual(['2']);
  });

  test('as CSV hold nothing that a spreadsheet would run', async () => {
    const { curate, study, offered } = workbench();
    addRecords(study, records);
    const text = Buffer.from(offered((await curate.export({ filter: ALL, format: 'csv' })).url)).toString();
    expect(text.startsWith('\ufeffPMID,Title,Abstract,Journal,Keywords,URL,')).toBe(true);
    expect(text).toContain(`"'=HYPERLINK(""x"") & <b>"`);
    expect(text).toContain(`'+1 and -1`);
  });
});
