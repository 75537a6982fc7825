import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { Direction, MetricName } from '../../../shared/domain/index.ts';
import { FormatError, UserInputError } from '../../../shared/errors/index.ts';

/** One of a list of words; anything else is a usage error that names the choices. */
export function oneOf<S extends z.ZodType<string>>(option: string, schema: S, text: string): z.output<S> {
  const parsed = schema.safeParse(text);
  if (parsed.success) return parsed.data;
  const choices = schema instanceof z.ZodEnum ? ` Choose one of: ${schema.options.join(', ')}.` : '';
  throw new UserInputError(
    'OPTION_INVALID',
    `${option} cannot be “${text}”.`,
    choices.trim() || 'See --help.',
  );
}

export function parseDirection(text: string): Direction {
  return oneOf('--direction', Direction, text);
}

export function parseMetrics(text: string): MetricName[] {
  return text.split(',').map((name) => oneOf('--metric', MetricName, name.trim()));
}

export function parseBos(text: string): 'auto' | 'yes' | 'no' {
  return oneOf('--bos', z.enum(['auto', 'yes', 'no']), text);
}

/** A whole number of at least `least`. */
export function wholeNumber(option: string, text: string, least: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least) return value;
  throw new UserInputError(
    'OPTION_INVALID',
    `${option} cannot be “${text}”.`,
    `Give a whole number from ${least}.`,
  );
}

export function positiveNumber(option: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new UserInputError('OPTION_INVALID', `${option} cannot be “${text}”.`, 'Give a positive number.');
}

/** The text of a file that the user named. */
export function readTextFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserInputError(
      'FILE_UNREADABLE',
      `${path} cannot be read.`,
      'Check the path and try again.',
      error,
    );
  }
}

/** A JSON file against a schema. Errors name the file and the first wrong field. */
export function readJsonFile<S extends z.ZodType>(path: string, schema: S): z.output<S> {
  let value: unknown;
  try {
    value = JSON.parse(readTextFile(path));
  } catch (error) {
    if (error instanceof UserInputError) throw error;
    throw new FormatError(
      'JSON_INVALID',
      `${path} is not valid JSON.`,
      'Correct the file and try again.',
      error,
    );
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const place = issue?.path.map(String).join('.') ?? '';
  throw new FormatError(
    'FILE_INVALID',
    `${path}: ${place === '' ? '' : `${place}: `}${issue?.message ?? 'not as expected'}.`,
    'Correct the file and try again.',
  );
}
