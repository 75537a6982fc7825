import { basename } from 'node:path';
import { preparePair, toTokens, type EncodeContext } from '../../../../shared/pairs/index.ts';
import type { DlaResult, LensResult } from '../../../runtime/api.ts';
import { parsePairsStrictly } from '../../../services/pairs/parse.ts';
import type { CommandContext, CommandDefinition } from '../command.ts';
import { openFolderModel, withCompute, type ComputeFlags } from '../folder-model.ts';
import { parseBos, readTextFile, wholeNumber } from '../parse.ts';
import { promptIds, type PromptFlags } from '../prompt.ts';

interface ModelFlags extends ComputeFlags {
  readonly model: string;
  readonly bos: string;
}
interface LensFlags extends ModelFlags, PromptFlags {
  readonly positions: string;
  readonly track?: string;
  readonly top: string;
}
interface DlaFlags extends ModelFlags {
  readonly pairs: string;
}
interface AttentionFlags extends ModelFlags, PromptFlags {
  readonly layers?: string;
}

export const lensCommand: CommandDefinition = (program, run) => {
  program
    .command('lens')
    .description('logit lens: what the residual stream of a prompt says, layer by layer')
    .requiredOption('--model <dir>', 'Hugging Face model folder')
    .option('--text <text>', 'prompt as text; no space is added')
    .option('--ids <list>', 'prompt as token ids: 1,2,3')
    .option('--positions <which>', 'last, all, or token positions: 3,7', 'last')
    .option('--track <list>', 'token ids whose logits and probabilities are wanted')
    .option('--top <k>', 'how many of the likeliest tokens', '5')
    .option('--bos <choice>', 'auto, yes or no', 'auto')
    .option('--threads <n>', 'threads; 0 = one per core')
    .option('--provider <name>', 'cpu, cuda, dml or webgpu')
    .action(run(lens));
};

export const dlaCommand: CommandDefinition = (program, run) => {
  program
    .command('dla')
    .description('direct logit attribution: what every component and head adds to the logit difference')
    .requiredOption('--model <dir>', 'Hugging Face model folder')
    .requiredOption('--pairs <file>', 'PAIRS.jsonl')
    .option('--bos <choice>', 'auto, yes or no', 'auto')
    .option('--threads <n>', 'threads; 0 = one per core')
    .option('--provider <name>', 'cpu, cuda, dml or webgpu')
    .action(run(dla));
};

export const attentionCommand: CommandDefinition = (program, run) => {
  program
    .command('attention')
    .description('attention patterns of a prompt')
    .requiredOption('--model <dir>', 'Hugging Face model folder')
    .option('--text <text>', 'prompt as text; no space is added')
    .option('--ids <list>', 'prompt as token ids: 1,2,3')
    .option('--layers <list>', 'layers, counted from 0; all without it')
    .option('--bos <choice>', 'auto, yes or no', 'auto')
    .option('--threads <n>', 'threads; 0 = one per core')
    .option('--provider <name>', 'cpu, cuda, dml or webgpu')
    .action(run(attention));
};

const numbers = (option: string, text: string): number[] =>
  text.split(',').map((part) => wholeNumber(option, part.trim(), 0));

const texts = (ids: readonly number[], context: EncodeContext): string[] =>
  toTokens([...ids], context).map((token) => token.text);

function positionsOf(text: string, length: number): number[] {
  if (text === 'last') return [length - 1];
  return text === 'all' ? Array.from({ length }, (_, t) => t) : numbers('--positions', text);
}

async function lens(context: CommandContext, flags: LensFlags): Promise<void> {
  const { terminal } = context;
  const opened = await openFolderModel(flags.model, parseBos(flags.bos));
  const prompt = promptIds(flags, opened.context);
  const positions = positionsOf(flags.positions, prompt.length);
  const track = flags.track === undefined ? [] : numbers('--track', flags.track);
  const top = wholeNumber('--top', flags.top, 1);
  const result = await withCompute(context, flags, (compute) =>
    compute.lens({ folder: opened.folder, prompt, positions, track, top }),
  );
  const layers = lensPlaces(result, track.length, opened.context);
  if (terminal.json) {
    const tracked = texts(track, opened.context).map((token, i) => ({ id: track[i] ?? 0, token }));
    terminal.result({ ids: prompt, tokens: texts(prompt, opened.context), positions, tracked, layers });
    return;
  }
  const names = texts(prompt, opened.context);
  positions.forEach((position, p) => {
    terminal.say(`Position ${position} ${JSON.stringify(names[position] ?? '')}`);
    layers.forEach((places, layer) => {
      const best = places[p]?.top.map(({ token, prob }) => `${JSON.stringify(token)} ${prob.toFixed(3)}`);
      terminal.say(
        `${layer === layers.length - 1 ? 'output' : `  ${layer}`.slice(-6).padEnd(6)}  ${best?.join('  ') ?? ''}`,
      );
    });
  });
}

interface LensPlace {
  readonly top: readonly { readonly id: number; readonly token: string; readonly prob: number }[];
  readonly logits: readonly number[];
  readonly probs: readonly number[];
}

/** The flat arrays of a lens as [layer][position]. */
function lensPlaces(result: LensResult, tracked: number, context: EncodeContext): LensPlace[][] {
  const P = result.positions.length;
  const top = result.topIds.length / (result.layers * P);
  return Array.from({ length: result.layers }, (_, layer) =>
    result.positions.map((_position, p) => {
      const at = layer * P + p;
      const ids = [...result.topIds.subarray(at * top, (at + 1) * top)];
      return {
        top: texts(ids, context).map((token, k) => ({
          id: ids[k] ?? 0,
          token,
          prob: result.topProbs[at * top + k] ?? 0,
        })),
        logits: [...result.logits.subarray(at * tracked, (at + 1) * tracked)],
        probs: [...result.probs.subarray(at * tracked, (at + 1) * tracked)],
      };
    }),
  );
}

async function dla(context: CommandContext, flags: DlaFlags): Promise<void> {
  const { terminal } = context;
  const lines = parsePairsStrictly(readTextFile(flags.pairs), basename(flags.pairs));
  const opened = await openFolderModel(flags.model, parseBos(flags.bos));
  const pairs = lines.map((line) => preparePair(line, opened.context));
  const prompts = pairs.flatMap(({ clean, corrupted, answer, wrong, read }) =>
    [clean, corrupted].map((ids) => ({ ids, answer, wrong, read })),
  );
  const results = await withCompute(context, flags, (compute) =>
    compute.dla({ folder: opened.folder, prompts }),
  );
  const { nHead } = opened.model.config;
  const rows = pairs.flatMap(({ id }, i) => {
    const [clean, corrupted] = [results[2 * i], results[2 * i + 1]];
    return clean === undefined || corrupted === undefined
      ? []
      : [{ id, clean: partsOf(clean, nHead), corrupted: partsOf(corrupted, nHead) }];
  });
  if (terminal.json) {
    terminal.result({ model: opened.name, pairs: rows });
    return;
  }
  for (const { id, clean, corrupted } of rows) {
    const strongest = clean.heads
      .flatMap((heads, layer) => heads.map((value, head) => ({ name: `${layer}.${head}`, value })))
      .concat(clean.mlp_out.map((value, layer) => ({ name: `MLP ${layer}`, value })))
      .sort((a, b) => Math.abs(b.value) - Math.abs(a.value))
      .slice(0, 5)
      .map(({ name, value }) => `${name} ${value.toFixed(3)}`);
    terminal.say(
      `${id}: logit difference ${clean.logit_diff.toFixed(3)} clean, ${corrupted.logit_diff.toFixed(3)} corrupted; clean: ${strongest.join(', ')}`,
    );
  }
}

function partsOf(result: DlaResult, nHead: number) {
  return {
    logit_diff: result.logitDiff,
    embed: result.embed,
    pos_embed: result.posEmbed,
    attn_out: [...result.attnOut],
    mlp_out: [...result.mlpOut],
    heads: Array.from(result.attnOut, (_, layer) => [
      ...result.heads.subarray(layer * nHead, (layer + 1) * nHead),
    ]),
    attn_bias: [...result.attnBias],
    constant: result.constant,
  };
}

async function attention(context: CommandContext, flags: AttentionFlags): Promise<void> {
  const { terminal } = context;
  const opened = await openFolderModel(flags.model, parseBos(flags.bos));
  const ids = promptIds(flags, opened.context);
  const layers =
    flags.layers === undefined
      ? Array.from({ length: opened.model.config.nLayer }, (_, layer) => layer)
      : numbers('--layers', flags.layers);
  const [found] = await withCompute(context, flags, (compute) =>
    compute.attention({ folder: opened.folder, prompts: [ids], layers }),
  );
  const T = ids.length;
  const row = (layer: number, head: number, query: number): number[] => {
    const start = ((layer * (found?.heads ?? 0) + head) * T + query) * T;
    return [...(found?.weights.subarray(start, start + query + 1) ?? [])];
  };
  const tokens = texts(ids, opened.context);
  const heads = Array.from({ length: found?.heads ?? 0 }, (_, head) => head);
  if (terminal.json) {
    const patterns = layers.map((_, layer) =>
      heads.map((head) => ids.map((_id, query) => row(layer, head, query))),
    );
    terminal.result({ ids, tokens, layers, patterns });
    return;
  }
  layers.forEach((layer, l) => {
    for (const head of heads) {
      const best = row(l, head, T - 1)
        .map((weight, key) => ({ weight, key }))
        .sort((a, b) => b.weight - a.weight)
        .slice(0, 3)
        .map(({ weight, key }) => `${JSON.stringify(tokens[key] ?? '')} ${key} ${weight.toFixed(3)}`);
      terminal.say(`${layer}.${head} looks from the last token at ${best.join(', ')}`);
    }
  });
}
