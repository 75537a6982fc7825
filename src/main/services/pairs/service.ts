import type { contract, ServiceHandlers } from '../../../shared/contracts/index.ts';
import type { PairCheck, PairFlag, PairLine } from '../../../shared/domain/index.ts';
import {
  alternativeIds,
  encodePair,
  hasError,
  logitDifference,
  pairFlags,
  pairTokens,
  reduceAnswers,
  scorePair,
  scoringMode,
  type EncodeContext,
} from '../../../shared/pairs/index.ts';
import type { PatchPair } from '../../runtime/api.ts';
import type { Study } from '../../store/index.ts';
import type { ServiceContext } from '../context.ts';
import { encodeContext, type ModelShelf } from '../models/shelf.ts';
import { formatPairs, parsePairs } from './parse.ts';

type PairsService = ServiceHandlers<typeof contract.pairs>;

/** Pairs per call of the model when a set is checked. */
const PAIRS_AT_ONCE = 16;

/** Implements `pairs`: sets, tokens with their traps, and what a model says of them. */
export function createPairsService(context: ServiceContext, shelf: ModelShelf): PairsService {
  const { session, files, interactive, emit } = context;
  const study = (): Study => session.require().study;
  const changed = <T>(value: T): T => {
    emit('changed', { what: 'pairs' });
    emit('changed', { what: 'history' });
    return value;
  };

  return {
    sets: () => study().pairs.sets(),
    createSet: ({ name }) => changed(study().pairs.createSet(name)),
    list: ({ setId }) => study().pairs.list(setId),
    save: ({ setId, id, line }) => changed(study().pairs.save(setId, id, line)),
    remove: ({ ids }) => {
      study().pairs.remove(ids);
      return changed({});
    },
    freeze: ({ setId }) => changed(study().pairs.freeze(setId)),
    import: ({ name, text }) => {
      const { lines, rejected } = parsePairs(text);
      return changed({ set: study().pairs.createSet(name, lines), rejected: [...rejected] });
    },
    export: ({ setId }) => {
      const set = study().pairs.set(setId);
      const lines = study()
        .pairs.list(setId)
        .map((pair) => pair.line);
      return files.offerDownload({
        content: { bytes: new TextEncoder().encode(formatPairs(lines)) },
        name: `${set.name} v${set.version}.jsonl`,
        mime: 'application/jsonl',
      });
    },
    tokens: async ({ modelId, line }) => {
      const opened = encodeContext(await shelf.open(study(), modelId));
      const { tokens, flags } = describe(line, opened);
      return { tokens, flags };
    },
    check: async ({ modelId, line }) => {
      // The compute process opens the model while its tokenizer is read here; a fault is reported by `logits`.
      interactive.load({ folder: shelf.folder(study(), modelId) }).catch(() => undefined);
      const model = await shelf.open(study(), modelId);
      const opened = encodeContext(model);
      const { tokens, flags, patch } = describe(line, opened);
      if (patch === null) return { tokens, flags, run: null };
      const started = performance.now();
      const { logits } = await interactive.logits({
        folder: model.folder,
        prompts: [patch.clean, patch.corrupted],
        positions: [[patch.read], [patch.read]],
      });
      const [clean, corrupted] = [logits[0] ?? new Float32Array(), logits[1] ?? new Float32Array()];
      const run: NonNullable<PairCheck['run']> = {
        ...scorePair(clean, corrupted, patch.answer, patch.wrong, opened),
        milliseconds: performance.now() - started,
      };
      return { tokens, flags: pairFlags({ line, tokens, nCtx: opened.nCtx, run }), run };
    },
    checkSet: async ({ setId, modelId }) => {
      const model = await shelf.open(study(), modelId);
      const opened = encodeContext(model);
      const rows = study()
        .pairs.list(setId)
        .map(({ id, line }) => ({ id, line, ...describe(line, opened) }));
      const gaps = await readGaps(
        rows.flatMap(({ patch }) => (patch === null ? [] : [patch])),
        async (prompts, positions) =>
          (await interactive.logits({ folder: model.folder, prompts, positions })).logits,
      );
      return rows.map(({ id, line, tokens, flags, patch }) => {
        const run = patch === null ? null : (gaps.get(patch) ?? null);
        const all = run === null ? flags : pairFlags({ line, tokens, nCtx: opened.nCtx, run });
        return {
          id,
          cleanLogitDiff: run?.cleanLogitDiff ?? null,
          corruptedLogitDiff: run?.corruptedLogitDiff ?? null,
          gap: run === null ? null : run.cleanLogitDiff - run.corruptedLogitDiff,
          valid: run !== null && run.cleanLogitDiff > 0 && !hasError(all),
          flags: all,
        };
      });
    },
    fromQuestion: ({ question, right, wrong, type }) => questionPair(question, right, wrong, type),
  };
}

/**
 * Question ⊕ " " ⊕ answer, as the CLAP study builds its inputs: clean with the right answer, corrupted with
 * the wrong one. The answer sets are the answers as they stand in context, with their leading space.
 */
function questionPair(question: string, right: string, wrong: string, type: string): PairLine {
  const id = question
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 60);
  return {
    id: id === '' ? 'question' : id,
    clean: `${question} ${right}`,
    corrupted: `${question} ${wrong}`,
    answer: [` ${right}`],
    wrong: [` ${wrong}`],
    answer_mode: 'bag',
    read: 'last',
    ...(type === '' ? {} : { type }),
  };
}

interface Described {
  readonly tokens: PairCheck['tokens'];
  readonly flags: PairFlag[];
  /** Null where an error flag says that the pair cannot be run. */
  readonly patch: PatchPair | null;
}

function describe(line: PairLine, context: EncodeContext): Described {
  const ids = encodePair(line, context);
  const tokens = pairTokens(line, ids, context);
  const flags = pairFlags({ line, tokens, nCtx: context.nCtx, run: null });
  const mode = scoringMode(line);
  const patch = {
    id: line.id,
    clean: ids.clean,
    corrupted: ids.corrupted,
    answer: reduceAnswers(alternativeIds(tokens.answer), mode),
    wrong: reduceAnswers(alternativeIds(tokens.wrong), mode),
    read: tokens.read,
  };
  return { tokens, flags, patch: hasError(flags) ? null : patch };
}

type Gap = { readonly cleanLogitDiff: number; readonly corruptedLogitDiff: number };

async function readGaps(
  pairs: readonly PatchPair[],
  run: (prompts: (readonly number[])[], positions: number[][]) => Promise<readonly Float32Array[]>,
): Promise<Map<PatchPair, Gap>> {
  const gaps = new Map<PatchPair, Gap>();
  for (let at = 0; at < pairs.length; at += PAIRS_AT_ONCE) {
    const batch = pairs.slice(at, at + PAIRS_AT_ONCE);
    const logits = await run(
      batch.flatMap((pair) => [pair.clean, pair.corrupted]),
      batch.flatMap((pair) => [[pair.read], [pair.read]]),
    );
    batch.forEach((pair, i) => {
      const [clean, corrupted] = [logits[2 * i], logits[2 * i + 1]];
      if (clean === undefined || corrupted === undefined) return;
      gaps.set(pair, {
        cleanLogitDiff: logitDifference(clean, pair.answer, pair.wrong),
        corruptedLogitDiff: logitDifference(corrupted, pair.answer, pair.wrong),
      });
    });
  }
  return gaps;
}
