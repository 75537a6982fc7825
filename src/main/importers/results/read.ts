import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { ExternalContent } from '../../../shared/domain/index.ts';
import { FormatError, UserInputError } from '../../../shared/errors/index.ts';
import { effectsFormat } from './effects.ts';
import type { Given, ResultFormat } from './format.ts';
import { patchResultFormat } from './patch-result.ts';
import { tablesFormat } from './tables.ts';

/** In the order in which a file is tried. */
const FORMATS: readonly ResultFormat[] = [patchResultFormat, tablesFormat, effectsFormat];

/** A file is read whole; results larger than this belong into a study of their own. */
const MOST_BYTES = 256 * 2 ** 20;

export interface ReadResults {
  readonly content: ExternalContent;
  readonly sha256: string;
  readonly bytes: number;
}

/**
 * Reads a file of effects that another program, or another Engram, computed: what it holds decides, not its name.
 * Throws a UserInputError (RESULTS_UNREADABLE, RESULTS_TOO_LARGE) where it cannot be read and a FormatError
 * (RESULTS_…) that names file, place and next step where it is not as a format has it.
 */
export async function readResults(path: string, name: string, given: Given): Promise<ReadResults> {
  const bytes = await contentOf(path, name);
  const text = decoded(bytes, name);
  const json = parsedJson(text, name);
  const file = { name, text, json, given };
  const format = FORMATS.find((candidate) => candidate.matches(file));
  if (format === undefined) {
    throw new FormatError(
      'RESULTS_FORMAT_UNKNOWN',
      `${name} holds no effects that are known here: neither “tables” by hook, nor the result of engram patch, nor rows of effects.`,
      'See “engram results import” in docs/cli.md for the three forms.',
    );
  }
  return {
    content: await format.read(file),
    sha256: createHash('sha256').update(bytes).digest('hex'),
    bytes: bytes.byteLength,
  };
}

async function contentOf(path: string, name: string): Promise<Buffer> {
  try {
    const { size } = await stat(path);
    if (size > MOST_BYTES) {
      throw new UserInputError(
        'RESULTS_TOO_LARGE',
        `${name} has ${Math.round(size / 2 ** 20)} MB; results are read up to ${MOST_BYTES / 2 ** 20} MB.`,
        'Write the summary alone, or one file a hook.',
      );
    }
    return await readFile(path);
  } catch (error) {
    if (error instanceof UserInputError) throw error;
    throw new UserInputError(
      'RESULTS_UNREADABLE',
      `${name} cannot be read.`,
      'Check that the file is there and that you may read it.',
      error,
    );
  }
}

function decoded(bytes: Buffer, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new FormatError(
      'RESULTS_ENCODING',
      `${name} is not UTF-8 text.`,
      'Save it as UTF-8, uncompressed.',
      error,
    );
  }
}

/** The whole text as one JSON value; undefined for CSV and for JSON lines. */
function parsedJson(text: string, name: string): unknown {
  const start = text.trimStart();
  if (!start.startsWith('{') && !start.startsWith('[')) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    const [first = ''] = start.split('\n', 1);
    if (isJson(first)) return undefined;
    throw new FormatError(
      'RESULTS_NOT_JSON',
      `${name} begins as JSON but is not: ${error instanceof Error ? error.message : 'unreadable'}.`,
      'Save it again; NaN and Infinity are no JSON, write null for them.',
      error,
    );
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
