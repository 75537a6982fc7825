import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { EngramError, FormatError, StoreError, UserInputError } from '../../shared/errors/index.ts';

interface FileFault {
  readonly code: string;
  readonly says: string;
  readonly next: string;
  readonly make: typeof UserInputError | typeof StoreError;
}

/** What the operating system's error codes mean for someone who opens or saves a model. */
const FAULTS: Readonly<Record<string, FileFault>> = {
  ENOENT: {
    code: 'MODEL_FILE_MISSING',
    says: 'does not exist',
    next: 'Choose a complete model folder.',
    make: UserInputError,
  },
  ENOTDIR: {
    code: 'MODEL_FOLDER_NOT_A_FOLDER',
    says: 'is not a folder',
    next: 'Choose the folder that holds config.json.',
    make: UserInputError,
  },
  EISDIR: {
    code: 'MODEL_FILE_IS_A_FOLDER',
    says: 'is a folder where a file is expected',
    next: 'Choose a complete model folder.',
    make: UserInputError,
  },
  EACCES: {
    code: 'MODEL_FILE_NOT_ALLOWED',
    says: 'may not be accessed',
    next: 'Give yourself permission for it, or choose another place.',
    make: UserInputError,
  },
  EPERM: {
    code: 'MODEL_FILE_NOT_ALLOWED',
    says: 'may not be accessed',
    next: 'Give yourself permission for it, or choose another place.',
    make: UserInputError,
  },
  ENOSPC: {
    code: 'DISK_FULL',
    says: 'cannot be written: the disk is full',
    next: 'Free some space and try again.',
    make: StoreError,
  },
  EROFS: {
    code: 'DISK_READ_ONLY',
    says: 'cannot be written: the disk is read-only',
    next: 'Choose another place.',
    make: StoreError,
  },
};

/** A system error about `path` as one of ours; ours pass unchanged. */
export function fileError(error: unknown, path: string): EngramError {
  if (error instanceof EngramError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const fault = FAULTS[code];
  if (fault !== undefined) return new fault.make(fault.code, `${path} ${fault.says}.`, fault.next, error);
  const reason = error instanceof Error ? error.message : String(error);
  return new StoreError('MODEL_FILE_FAULT', `${path}: ${reason}.`, 'Check the disk and try again.', error);
}

/** The text of a file, or null where there is none. */
export async function readTextIfAny(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw fileError(error, path);
  }
}

/** Parses the text of a JSON file against a schema. Throws FormatError `code` naming the file and the field. */
export function parseJson<S extends z.ZodType>(
  text: string,
  schema: S,
  path: string,
  code: string,
): z.infer<S> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new FormatError(
      code,
      `${path} is not valid JSON: ${reason}.`,
      'Get the file again; it may be cut short.',
      error,
    );
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = issue === undefined || issue.path.length === 0 ? 'the file' : `"${issue.path.join('.')}"`;
  throw new FormatError(
    code,
    `${path}: ${where}: ${issue?.message ?? 'unexpected content'}.`,
    'Get the file again, or choose another folder.',
  );
}
