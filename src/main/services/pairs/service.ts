import type { contract, ServiceHandlers } from '../../../shared/contracts/index.ts';
import type { PairCheck, PairLine } from '../../../shared/domain/index.ts';
import { hasError, pairFlags, scorePair, splitPair } from '../../../shared/pairs/index.ts';
import type { Study } from '../../store/index.ts';
import type { ServiceContext } from '../context.ts';
import { encodeContext, type ModelShelf } from '../models/shelf.ts';
import { pairsCsv } from './csv.ts';
import { describe } from './describe.ts';
import { createGapReader } from './gaps.ts';
import { generatePairs } from './generate.ts';
import { formatPairs, parsePairs } from './parse.ts';
import { suggestLengthMatches } from './suggest.ts';

type PairsService = ServiceHandlers<typeof contract.pairs>;

/** How a set is written, by the ending of the file. Excel takes CSV without a byte-order mark for Windows-1252. */
const PAIR_FILES = {
  jsonl: { text: formatPairs, mime: 'application/jsonl' },
  csv: { text: (lines: readonly PairLine[]) => `\ufeff${pairsCsv(lines)}`, mime: 'text/csv' },
} as const;

/** Implements `pairs`: sets, tokens with their traps, and what a model says of them. */
export function createPairsService(context: ServiceContext, shelf: ModelShelf): PairsService {
  const { session, files, interactive, emit } = context;
  const study = (): Study => session.require().study;
  const gaps = createGapReader(interactive);
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
    export: ({ setId, format }) => {
      const set = study().pairs.set(setId);
      const lines = study()
        .pairs.list(setId)
        .map((pair) => pair.line);
      const { text, mime } = PAIR_FILES[format];
      return files.offerDownload({
        content: { bytes: new TextEncoder().encode(text(lines)) },
        name: `${set.name} v${set.version}.${format}`,
        mime,
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
      const runnable = rows.flatMap(({ patch }) => (patch === null ? [] : [patch]));
      const read = await gaps.read(model.folder, runnable);
      const found = new Map(runnable.map((patch, i) => [patch, read[i]]));
      return rows.map(({ id, line, tokens, flags, patch }) => {
        const run = patch === null ? null : (found.get(patch) ?? null);
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
    generate: async ({ modelId, spec, keep, setId, name }) => {
      const model = await shelf.open(study(), modelId);
      const preview = setId === null && name === null;
      const result = await generatePairs({
        spec,
        keep,
        preview,
        context: encodeContext(model),
        folder: model.folder,
        gaps,
      });
      if (preview || result.lines.length === 0) return { ...result, set: null };
      const set =
        setId === null
          ? study().pairs.createSet(name ?? spec.task, result.lines)
          : study().pairs.add(setId, result.lines);
      return changed({ ...result, set });
    },
    suggest: async ({ modelId, line }) =>
      suggestLengthMatches(study(), line, encodeContext(await shelf.open(study(), modelId))),
    split: async ({ modelId, setId, id, line }) => {
      const opened = await shelf.open(study(), modelId);
      const { tokenizer } = opened;
      const lines = splitPair(line, {
        ...encodeContext(opened),
        decode: (ids) => tokenizer?.decode(ids) ?? '',
      });
      return changed(study().pairs.replace(setId, id, lines));
    },
    copySet: ({ setId, name }) =>
      changed(
        study().pairs.createSet(
          name,
          study()
            .pairs.list(setId)
            .map((pair) => pair.line),
        ),
      ),
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
