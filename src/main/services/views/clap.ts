import type { ResultTable, Sweep, SweepId } from '../../../shared/domain/index.ts';
import { noRatio } from '../../../shared/domain/index.ts';
import { logitDifference, preparePair } from '../../../shared/pairs/index.ts';
import {
  arithmetic,
  CLAP_TABLES,
  recomputed,
  remarkOn,
  type ClapTable,
} from '../../../shared/published/index.ts';
import { encodeContext } from '../models/shelf.ts';
import type { ViewMaker, ViewSource } from './view.ts';

/** The output of `mlp.c_fc`, patched at all positions, as the study did. */
const SITE = { hook: 'blocks.{layer}.mlp.hook_pre', axes: 'layer' } as const;
const METRIC = 'logit_diff';
const SOURCE = 'Bahador 2025, arXiv 2504.02976, Tables 3 to 5 as printed';

/** What a sweep gives for one published row. */
interface Own {
  /** Which site; why there is none. */
  readonly site: string;
  readonly clean: number | null;
  readonly corrupted: number | null;
  readonly patched: number | null;
  /** Layer by layer; empty where nothing was patched. */
  readonly layers: readonly number[];
}

const NOTHING: Own = { site: 'not in this sweep', clean: null, corrupted: null, patched: null, layers: [] };

/**
 * The printed tables of the CLAP study with the recovery that their own numbers give, beside what a sweep of the
 * same questions gives here. Table 3 is the first layer; Table 5 does not name its layer, so the strongest of ours
 * stands there and all of them below; Table 4 patches the logits, which copies the clean ones back.
 */
export const clapView: ViewMaker<'clap'> = async (source, { id }) => {
  const sweep = id === null ? null : source.study.sweeps.get(id);
  const own = sweep === null ? CLAP_TABLES.map(() => NOTHING) : await ownRows(source, sweep);
  return {
    title: sweep === null ? 'Published tables of the CLAP study' : `${sweep.label} beside the CLAP study`,
    notes: [
      `${SOURCE}. Tables 3 and 5 have the same pair and kind of site but other baselines, so they are not of one model and metric. The answers of Table 4 differ in token length, so inner sites cannot be patched; its site is trivial.`,
      ...(sweep === null
        ? []
        : [
            `Own numbers: ${sweep.label}, ${source.study.models.get(sweep.spec.modelId).name}. Another model than the published one gives other numbers; what can agree is their pattern.`,
          ]),
    ],
    figures: [],
    tables: [besideTable(own, sweep), ...(sweep === null ? [] : layerTables(own, sweep))],
  };
};

function besideTable(own: readonly Own[], sweep: Sweep | null): ResultTable {
  const ours =
    sweep === null ? [] : ['own site', 'own clean', 'own corrupted', 'own patched', 'own recovery', 'why'];
  return {
    name: 'clap',
    caption: 'Printed numbers, the recovery they give, and own numbers',
    columns: [
      'table',
      'question',
      'type',
      'site',
      'clean',
      'corrupted',
      'patched',
      'printed',
      'arithmetic',
      'recomputed',
      'not recovered',
      'remark',
      ...ours,
    ],
    rows: CLAP_TABLES.map((row, i) => {
      const { recovery, rest } = recomputed(row);
      return [
        row.table,
        row.question,
        row.type,
        row.site,
        row.clean,
        row.corrupted,
        row.patched,
        row.printed,
        arithmetic(row),
        recovery,
        rest,
        remarkOn(row),
        ...(sweep === null ? [] : ownCells(own[i] ?? NOTHING, sweep)),
      ];
    }),
  };
}

function ownCells({ site, clean, corrupted, patched }: Own, sweep: Sweep): (string | number | null)[] {
  const why = noRatio({ metric: METRIC, epsilon: sweep.spec.epsilon, clean, corrupted });
  const known = clean !== null && corrupted !== null && patched !== null;
  const recovery = known && why === null ? recomputed({ clean, corrupted, patched }).recovery : null;
  return [site, clean, corrupted, patched, recovery, why];
}

/** Every layer of each question that was patched, once: Tables 3 and 5 share theirs. */
function layerTables(own: readonly Own[], sweep: Sweep): ResultTable[] {
  const rows = CLAP_TABLES.flatMap(({ table }, i) => {
    const { clean, corrupted, layers } = own[i] ?? NOTHING;
    if (clean === null || corrupted === null) return [];
    const why = noRatio({ metric: METRIC, epsilon: sweep.spec.epsilon, clean, corrupted });
    return layers.map((patched, layer) => [
      table,
      layer,
      clean,
      corrupted,
      patched,
      why === null ? recomputed({ clean, corrupted, patched }).recovery : null,
    ]);
  });
  if (rows.length === 0) return [];
  return [
    {
      name: 'layers',
      caption: 'Own numbers layer by layer, mlp.c_fc at all positions',
      columns: ['table', 'layer', 'clean', 'corrupted', 'patched', 'recovery'],
      rows,
    },
  ];
}

async function ownRows(source: ViewSource, sweep: Sweep): Promise<Own[]> {
  const { study } = source;
  const grid = sweep.spec.grids.findIndex(
    ({ hook, axes, window }) => hook === SITE.hook && axes === SITE.axes && window === undefined,
  );
  const metric = sweep.spec.metrics.indexOf(METRIC);
  const inputs = study.sweeps.inputs(sweep.id);
  const blocks = grid < 0 || metric < 0 ? [] : study.blocks.read(sweep.id, grid, metric);
  const rows: Own[] = [];
  for (const [i, row] of CLAP_TABLES.entries()) {
    // The question that is asked twice has a pair for each of its tables; of one pair both tables take it.
    const turn = CLAP_TABLES.slice(0, i).filter(({ item }) => item === row.item).length;
    const members = inputs.flatMap(({ item }, pair) => (item === row.item ? [pair] : []));
    const pair = members[turn] ?? members.at(-1);
    const block = blocks.find((b) => b.pair === pair);
    rows.push(
      row.trivial
        ? await trivialRow(source, sweep.id, row)
        : block === undefined
          ? NOTHING
          : patchedRow(row, block.clean, block.corrupted, [...block.raw]),
    );
  }
  return rows;
}

/** Table 3 patched the first layer; of Table 5 the strongest layer stands for the one that it does not name. */
function patchedRow(row: ClapTable, clean: number, corrupted: number, layers: number[]): Own {
  const distances = layers.map((value) => Math.abs(value - corrupted));
  const layer = row.table === 3 ? 0 : distances.indexOf(Math.max(...distances));
  const site = row.table === 3 ? 'mlp.c_fc, layer 0' : `mlp.c_fc, layer ${layer}, the strongest`;
  return { site, clean, corrupted, patched: layers[layer] ?? null, layers };
}

/** Baselines of a pair that no inner site can be patched for; its patched logits are the clean ones. */
async function trivialRow({ study, shelf, compute }: ViewSource, id: SweepId, row: ClapTable): Promise<Own> {
  const { spec } = study.sweeps.get(id);
  if (!study.pairs.sets().some((set) => set.id === spec.pairSetId)) return NOTHING;
  const line = study.pairs
    .list(spec.pairSetId)
    .map((pair) => pair.line)
    .find(({ item }) => item === row.item);
  if (line === undefined) return NOTHING;
  const model = await shelf.open(study, spec.modelId);
  const pair = preparePair(line, encodeContext(model, spec.bos), { unequal: true });
  const { logits } = await compute.logits({
    folder: model.folder,
    prompts: [pair.clean, pair.corrupted],
    positions: [[pair.read], [pair.readCorrupted ?? pair.read]],
  });
  const [clean, corrupted] = logits.map((values) => logitDifference(values, pair.answer, pair.wrong));
  if (clean === undefined || corrupted === undefined) return NOTHING;
  return { site: 'logits, trivial', clean, corrupted, patched: clean, layers: [] };
}
