import type { Model, PairSet } from '../../../shared/domain/index.ts';
import { t } from '../../i18n/index.ts';
import type { Result } from './result.ts';

/** What results are called after. */
export interface Names {
  readonly models: readonly Model[];
  readonly sets: readonly PairSet[];
}

const modelName = ({ models }: Names, { sweep, external }: Result) =>
  external?.model ?? models.find((m) => m.id === sweep?.spec.modelId)?.name;
const setName = ({ sets }: Names, { sweep }: Result) =>
  sets.find((s) => s.id === sweep?.spec.pairSetId)?.name;
const directionOf = (_: Names, { sweep, external }: Result) => sweep?.spec.direction ?? external?.direction;

/** What tells a side from the other: its model, direction or pairs, or else its name or number. */
export function sideName(names: Names, result: Result, other: Result): string {
  if (result.external !== null) return t.compare.externalPanel(result.label, result.name);
  const features = [modelName, directionOf, setName, (_: Names, { name }: Result) => name];
  const differs = features.find((of) => of(names, result) !== of(names, other));
  return differs?.(names, result) ?? result.label;
}

/** Second line of a result in a menu. */
export function menuNote(names: Names, result: Result): string {
  return result.external === null
    ? t.compare.menuNote(modelName(names, result) ?? '', setName(names, result) ?? '')
    : t.compare.externalMenuNote(result.external.file);
}
