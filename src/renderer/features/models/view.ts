import type { Model, TrainingRun } from '../../../shared/domain/index.ts';

/** What the Models page shows: a model's card, a training run, the form that starts one, or where to get a model. */
export type View =
  | { readonly kind: 'model'; readonly model: Model }
  | { readonly kind: 'run'; readonly run: TrainingRun }
  | { readonly kind: 'train'; readonly model: Model }
  | { readonly kind: 'get' };

const ACTIVE: readonly TrainingRun['status'][] = ['queued', 'running', 'paused'];

export function isActiveRun(run: TrainingRun): boolean {
  return ACTIVE.includes(run.status);
}

/** From the rest of the hash (`run/4`, `model/2`, `train/1`, `get`); without one, what runs, else the newest model. */
export function viewOf(
  rest: readonly string[],
  models: readonly Model[],
  runs: readonly TrainingRun[],
): View | undefined {
  const [kind, id] = rest;
  if (kind === 'get') return { kind };
  const run = runs.find((r) => String(r.id) === id);
  const model = models.find((m) => String(m.id) === id);
  if (kind === 'run' && run !== undefined) return { kind, run };
  if ((kind === 'model' || kind === 'train') && model !== undefined) return { kind, model };
  const active = runs.find(isActiveRun);
  if (active !== undefined) return { kind: 'run', run: active };
  const newest = models.at(-1);
  return newest === undefined ? undefined : { kind: 'model', model: newest };
}

/** One line of the registry: a model, or a run that has not become one. `depth` counts its ancestors. */
export type RegistryLine =
  | {
      readonly kind: 'model';
      readonly depth: number;
      readonly model: Model;
      readonly run: TrainingRun | undefined;
    }
  | { readonly kind: 'run'; readonly depth: number; readonly run: TrainingRun };

/** Models under the ones they were fine-tuned from; runs without a model beside their future siblings. */
export function registryLines(models: readonly Model[], runs: readonly TrainingRun[]): RegistryLine[] {
  const known = new Set(models.map((m) => m.id));
  const under = (parent: Model['id'] | null, depth: number): RegistryLine[] => [
    ...(parent === null
      ? []
      : runs
          .filter((run) => run.baseModelId === parent && (run.modelId === null || !known.has(run.modelId)))
          .map((run) => ({ kind: 'run' as const, depth, run }))),
    ...models
      .filter((m) => (m.parentId !== null && known.has(m.parentId) ? m.parentId : null) === parent)
      .flatMap((model): RegistryLine[] => [
        { kind: 'model', depth, model, run: runs.find((r) => r.modelId === model.id) },
        ...under(model.id, depth + 1),
      ]),
  ];
  return under(null, 0);
}
