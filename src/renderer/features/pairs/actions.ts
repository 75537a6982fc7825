import type { EngramClient } from '../../../shared/contracts/index.ts';
import type { Pair, PairLine, PairSet, PairSetId, Reject } from '../../../shared/domain/index.ts';
import { t } from '../../i18n/index.ts';
import { freeId, nextId } from './pairText.ts';

export function newLine(taken: ReadonlySet<string>): PairLine {
  return {
    id: nextId(taken),
    clean: t.pairs.newClean,
    corrupted: t.pairs.newCorrupted,
    answer: [t.pairs.newRight],
    wrong: [t.pairs.newWrong],
    answer_mode: 'bag',
    read: 'last',
  };
}

/** Adds a pair to a set, or to a new set where there is none. */
export async function addPair(client: EngramClient, setId: PairSetId | null, line: PairLine): Promise<Pair> {
  const target = setId ?? (await client.pairs.createSet({ name: t.pairs.newSetName(1) })).id;
  return client.pairs.save({ setId: target, id: null, line });
}

export function duplicateOf(line: PairLine, taken: ReadonlySet<string>): PairLine {
  return { ...line, id: freeId(line.id, taken) };
}

export interface Imported {
  readonly set: PairSet;
  readonly rejected: readonly Reject[];
}

/** Reads a JSONL or CSV file of the user's into a new set; null when no file was chosen. */
export async function importFile(client: EngramClient): Promise<Imported | null> {
  const file = await chooseFile();
  if (file === null) return null;
  const name = file.name.replace(/\.(jsonl?|csv)$/i, '');
  return client.pairs.import({ name, text: await file.text() });
}

function chooseFile(): Promise<File | null> {
  return new Promise((resolve) => {
    const input = document.createElement('input');
    input.type = 'file';
    input.accept = '.jsonl,.json,.csv,.txt';
    input.onchange = () => resolve(input.files?.[0] ?? null);
    input.oncancel = () => resolve(null);
    input.click();
  });
}
