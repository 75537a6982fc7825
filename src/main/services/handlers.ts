import type { EngramHandlers } from '../../shared/contracts/index.ts';
import { createAppService, type AppDescription, type OnSettings } from './app/service.ts';
import type { SettingsFile } from './app/settings.ts';
import { createCompareService } from './compare/service.ts';
import type { ServiceContext } from './context.ts';
import { createCurateService } from './curate.ts';
import { createFilesService } from './files/service.ts';
import { createJobsService } from './jobs.ts';
import { createLibraryService } from './library.ts';
import { createModelsService } from './models/service.ts';
import { createModelShelf } from './models/shelf.ts';
import { createPairsService } from './pairs/service.ts';
import { createPubmedService, type Pubmed } from './pubmed.ts';
import { createResultsService } from './results/service.ts';
import { createReportService } from './report/service.ts';
import { createStudiesService } from './studies.ts';
import { createSweepsService } from './sweeps/service.ts';
import { createGridReader } from './sweeps/grids.ts';
import { createReadingsService } from './sweeps/readings.ts';
import { createMachine } from './training/machine.ts';
import { createTrainingService } from './training/service.ts';

/** Everything the contract promises, for one host. */
export function createHandlers(
  context: ServiceContext,
  settings: SettingsFile,
  description: AppDescription,
  onSettings: OnSettings,
  pubmed: Pubmed,
): EngramHandlers {
  const shelf = createModelShelf();
  const grids = createGridReader();
  return {
    app: createAppService(context, settings, description, onSettings),
    files: createFilesService(context),
    studies: createStudiesService(context),
    library: createLibraryService(context),
    pubmed: createPubmedService(context, pubmed),
    curate: createCurateService(context),
    models: createModelsService(context, shelf, () => settings.get().hub),
    training: createTrainingService(context, shelf, createMachine(context, settings)),
    pairs: createPairsService(context, shelf),
    sweeps: createSweepsService(context, shelf, grids),
    readings: createReadingsService(context),
    compare: createCompareService(context, grids),
    results: createResultsService(context),
    report: createReportService(context, shelf, grids, description.version),
    jobs: createJobsService(context),
  };
}
