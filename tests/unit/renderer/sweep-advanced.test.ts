import { describe, expect, it } from 'vitest';
import {
  advancedOf,
  advancedText,
  fits,
  gridParts,
  parseNeurons,
  PLAIN,
} from '../../../src/renderer/features/sweeps/advanced.ts';
import { readForm, suggestedHeads } from '../../../src/renderer/features/sweeps/attentionForm.ts';
import {
  changed,
  draftOf,
  emptyDraft,
  specOf,
  specsOf,
  PRESETS,
} from '../../../src/renderer/features/sweeps/draft.ts';
import { ModelId, PairSetId, SweepGrid, SweepSpec } from '../../../src/shared/domain/index.ts';

const complete = { ...emptyDraft(), modelId: ModelId.parse(2), pairSetId: PairSetId.parse(3) };
const HEADS = 'blocks.{layer}.attn.hook_z' as const;
const POST = 'blocks.{layer}.mlp.hook_post' as const;
const MLP = 'blocks.{layer}.hook_mlp_out' as const;

describe('advanced choices', () => {
  it('make the grids of a specification, and are read back from it', () => {
    const spans = changed(complete, {
      hooks: [MLP],
      axes: 'layer_span',
      advanced: { ...PLAIN, spans: ['subject', 'END'], source: { kind: 'zero' } },
      direction: 'noising',
    });
    const spec = specOf(spans);
    expect(SweepSpec.parse(spec)).toEqual(spec);
    expect(spec?.grids).toEqual([{ hook: MLP, axes: 'layer_span', spans: ['subject', 'END'] }]);
    expect(spec?.source).toEqual({ kind: 'zero' });
    expect(spec === null ? null : specOf(draftOf(spec, 'again'))).toEqual(spec);

    const neurons = changed(complete, {
      hooks: [POST],
      axes: 'layer_neuron',
      advanced: { ...PLAIN, layer: 3, neurons: [1, 7] },
    });
    expect(specOf(neurons)?.grids).toEqual([
      { hook: POST, axes: 'layer_neuron', onlyLayers: [3], neurons: [1, 7] },
    ]);
    const placed = changed(complete, {
      hooks: [HEADS],
      axes: 'layer_head',
      advanced: { ...PLAIN, at: 'END', from: 'S2' },
    });
    expect(specOf(placed)?.grids).toEqual([{ hook: HEADS, axes: 'layer_head', at: 'END', from: 'S2' }]);
  });

  it('are incomplete without a span, and left out where the axes have no place for them', () => {
    expect(specOf({ ...complete, axes: 'layer_span' })).toBeNull();
    expect(gridParts('layer_position', { ...PLAIN, at: 'END', spans: ['a'] })).toEqual({});
    expect(gridParts('layer', { ...PLAIN, at: -1, from: -1 })).toEqual({ at: -1 });
  });

  it('fall back to positions where the sites have no neurons', () => {
    expect(fits('layer_neuron', [POST])).toBe(true);
    expect(fits('layer_neuron', [POST, MLP])).toBe(false);
    expect(fits('layer_head_span', [MLP])).toBe(false);
    const neurons = changed(complete, { hooks: [POST], axes: 'layer_neuron' });
    expect(changed(neurons, { hooks: [POST, MLP] }).axes).toBe('layer_position');
  });

  it('are said in words, and a plain sweep says nothing', () => {
    const name = () => 'tuned';
    expect(advancedText('layer_position', PLAIN, name)).toEqual([]);
    expect(
      advancedText(
        'layer_neuron',
        { ...PLAIN, layer: 2, source: { kind: 'model', modelId: ModelId.parse(4) } },
        name,
      ),
    ).toEqual(['all neurons of layer 2', 'pasted from tuned']);
    expect(advancedText('layer', { ...PLAIN, at: -1, from: 'S2' }, name)).toEqual([
      'at the last token, from S2',
    ]);
    const spec = specOf(complete);
    expect(spec === null ? null : advancedOf(spec)).toEqual(PLAIN);
  });

  it('neurons are written as indices', () => {
    expect(parseNeurons('3, 17 204')).toEqual([3, 17, 204]);
    expect(parseNeurons('all')).toBeNull();
    expect(parseNeurons('3, x')).toBeUndefined();
  });

  it('the preset of subject positions is both corruptions by two metrics, windows beside single layers', () => {
    const preset = PRESETS.find(({ id }) => id === 'subject');
    const specs = specsOf(changed(complete, preset?.change(complete) ?? {}));
    expect(specs.map(({ corruption }) => corruption)).toEqual(['str', 'gn']);
    expect(specs[0]?.metrics).toEqual(['logit_diff', 'prob']);
    expect(specs[0]?.grids.map(({ window }) => window)).toEqual([undefined, 5]);
  });
});

describe('the form of joint patches', () => {
  it('names sites, watched heads and looks', () => {
    const form = {
      hook: HEADS,
      heads: '7.3, 7.9',
      at: 'END',
      watch: '9.9',
      from: 'END',
      to: 'IO, 3',
    } as const;
    expect(readForm(form)).toEqual({
      sites: [
        { hook: HEADS, layer: 7, head: 3, position: 'END' },
        { hook: HEADS, layer: 7, head: 9, position: 'END' },
      ],
      watch: [{ layer: 9, head: 9 }],
      looks: [
        { from: 'END', to: 'IO' },
        { from: 'END', to: 3 },
      ],
    });
    expect(readForm({ ...form, heads: '7', to: ' ', watch: '9.9,' })).toEqual({
      sites: null,
      watch: null,
      looks: null,
    });
  });

  it('offers the detected heads: earlier ones to patch, later ones to watch', () => {
    const grid = SweepGrid.parse({
      sweepId: 1,
      hook: HEADS,
      metric: 'logit_diff',
      axes: 'layer_head',
      layers: 3,
      columns: 2,
      columnLabels: ['0', '1'],
      pairsDone: 1,
      pairsTotal: 1,
      recovery: [0, 0.4, 0.6, 0, -0.5, 0.9],
      raw: [0, 0, 0, 0, 0, 0],
      low: [null, null, null, null, null, null],
      high: [null, null, null, null, null, null],
      state: ['open', 'open', 'open', 'open', 'open', 'open'],
      detected: [false, true, true, false, true, true],
      meanClean: 1,
      meanCorrupted: 0,
      direction: 'denoising',
    });
    expect(suggestedHeads(grid)).toEqual({ heads: '1.0, 0.1', watch: '2.1, 2.0' });
    expect(suggestedHeads({ ...grid, axes: 'layer_position' })).toEqual({ heads: '', watch: '' });
  });
});
