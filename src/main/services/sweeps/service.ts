import type { contract, ServiceHandlers } from '../../../shared/contracts/index.ts';
import { sweepJob } from '../../jobs/sweep.ts';
import type { Study } from '../../store/index.ts';
import type { ServiceContext } from '../context.ts';
import type { ModelShelf } from '../models/shelf.ts';
import type { GridReader } from './grids.ts';
import { attentionView, lensView, verifySite } from './inspect.ts';
import { planSweep, prepareSweep } from './prepare.ts';
import { siteDetail } from './site.ts';
import { windowStudy } from './windows.ts';
import { effectTable, storedResult, TABLE_FORMATS } from './table.ts';

/** Implements `sweeps`: planning, starting, and reading grids while they fill and after. */
export function createSweepsService(
  context: ServiceContext,
  shelf: ModelShelf,
  grids: GridReader,
): ServiceHandlers<typeof contract.sweeps> {
  const { session, files, compute, emit } = context;
  const study = (): Study => session.require().study;
  const edited = (): void => {
    emit('changed', { what: 'sweeps' });
    emit('changed', { what: 'history' });
  };
  return {
    list: () => study().sweeps.list(),
    plan: async (spec) => planSweep(study(), compute, spec, await prepareSweep(study(), shelf, spec)),
    start: async ({ spec, name }) => {
      const open = session.require();
      const prepared = await prepareSweep(open.study, shelf, spec);
      const plan = await planSweep(open.study, compute, spec, prepared);
      const sweep = open.study.sweeps.insert({
        name,
        spec,
        plan,
        warnings: plan.warnings,
        inputs: prepared.inputs,
      });
      const job = open.queue.start(sweepJob, { sweepId: sweep.id });
      open.study.sweeps.update(sweep.id, { jobId: job.id });
      emit('changed', { what: 'sweeps' });
      return { sweepId: sweep.id, jobId: job.id };
    },
    get: ({ id }) => study().sweeps.get(id),
    grid: ({ id, ...key }) => grids.grid(study(), id, key),
    site: ({ id, layer, column, ...key }) => siteDetail(grids.data(study(), id, key), layer, column),
    windows: ({ id, window, ...single }) => {
      return windowStudy(grids.grid(study(), id, { ...single, window }), grids.grid(study(), id, single));
    },
    attention: (query) => attentionView(study(), shelf, compute, query),
    lens: (query) => lensView(study(), shelf, compute, query),
    verifySite: (query) => verifySite(study(), compute, query),
    rename: ({ id, name }) => {
      const sweep = study().sweeps.rename(id, name);
      edited();
      return sweep;
    },
    remove: ({ id }) => {
      study().sweeps.remove(id);
      edited();
      return {};
    },
    table: ({ id, format }) => {
      const text = effectTable(storedResult(study(), id), format);
      return files.offerDownload({
        content: { bytes: new TextEncoder().encode(text) },
        name: `${study().sweeps.get(id).label} effects.${format}`,
        mime: TABLE_FORMATS[format].mime,
      });
    },
  };
}
