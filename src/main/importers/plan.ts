import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { EngramError, UserInputError } from '../../shared/errors/index.ts';
import { openImport } from './open.ts';

export interface NamedFile {
  /** Absolute path. */
  readonly path: string;
  /** The name the user knows it by. */
  readonly name: string;
}

export interface PlannedFile extends NamedFile {
  /** Path of the file with its MD5 sum, which is checked before anything is imported. */
  readonly md5?: string;
}

export interface ImportPlan {
  /** In the order in which they are to be imported. */
  readonly files: readonly PlannedFile[];
  /** What a person should know: files of a folder passed over, numbers missing in a series. */
  readonly notes: readonly string[];
}

/** PubMed's yearly baseline and daily updates: `pubmed25n0001.xml.gz`. Before 2018: `medline17n0001`. */
const SERIES = /^(?:pubmed|medline)(\d\d)n(\d{4,5})\.xml(?:\.gz)?$/i;
const natural = new Intl.Collator('en', { numeric: true });

/**
 * What is to be imported when a person names these files and folders. Folders give the files in them that
 * hold one of the formats; a file `X.md5` belongs to the file X; PubMed's numbered files come in the order
 * of their numbers, because a later one corrects and deletes what earlier ones said.
 *
 * Throws a UserInputError (IMPORT_FOLDER_EMPTY) where nothing is left to import.
 */
export async function planImport(chosen: readonly NamedFile[]): Promise<ImportPlan> {
  const notes: string[] = [];
  const all = (await Promise.all(chosen.map((file) => expanded(file, notes)))).flat();
  const sums = new Map(all.filter(isSum).map((file) => [file.name.slice(0, -4).toLowerCase(), file.path]));
  const files = all.filter((file) => !isSum(file)).map((file) => withSum(file, sums));
  if (files.length === 0) {
    throw new UserInputError(
      'IMPORT_FOLDER_EMPTY',
      `${chosen.map((file) => file.name).join(', ')} holds no file that can be imported.`,
      'Choose the folder that holds the downloaded files.',
    );
  }
  return { files: inOrder(files), notes: [...notes, ...gapsIn(files)] };
}

async function expanded(file: NamedFile, notes: string[]): Promise<NamedFile[]> {
  if (statSync(file.path, { throwIfNoEntry: false })?.isDirectory() !== true) return [file];
  const inside = readdirSync(file.path, { withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => ({ path: join(file.path, entry.name), name: entry.name }))
    .sort((a, b) => natural.compare(a.name, b.name));
  const importable: NamedFile[] = [];
  for (const entry of inside) {
    const fault = isSum(entry) ? null : await faultOf(entry);
    if (fault === null) importable.push(entry);
    else notes.push(`Passed over: ${fault.message}`);
  }
  return importable;
}

/** Why a file of a folder holds none of the formats; a fault in a file of a series is left for its import. */
async function faultOf(file: NamedFile): Promise<EngramError | null> {
  try {
    await openImport(file.path, { name: file.name });
    return null;
  } catch (error) {
    if (!(error instanceof EngramError)) throw error;
    return SERIES.test(file.name) ? null : error;
  }
}

function isSum({ name }: NamedFile): boolean {
  return /\.md5$/i.test(name);
}

function withSum(file: NamedFile, sums: ReadonlyMap<string, string>): PlannedFile {
  const beside = `${file.path}.md5`;
  const md5 = sums.get(file.name.toLowerCase()) ?? (existsSync(beside) ? beside : undefined);
  return md5 === undefined ? file : { ...file, md5 };
}

/** Files of a series among each other by number, all others where they stand. */
function inOrder(files: readonly PlannedFile[]): PlannedFile[] {
  const series = files
    .filter(({ name }) => SERIES.test(name))
    .sort((a, b) => natural.compare(basename(a.name), basename(b.name)));
  return files.map((file) => (SERIES.test(file.name) ? (series.shift() ?? file) : file));
}

function gapsIn(files: readonly PlannedFile[]): string[] {
  const numbers = new Map<string, number[]>();
  for (const { name } of files) {
    const [, year = '', number = ''] = SERIES.exec(name) ?? [];
    if (year !== '') numbers.set(year, [...(numbers.get(year) ?? []), Number(number)]);
  }
  return [...numbers].flatMap(([year, found]) => {
    const sorted = found.toSorted((a, b) => a - b);
    return sorted.flatMap((number, i) => {
      const before = sorted[i - 1];
      if (before === undefined || number - before < 2) return [];
      const missing = number - before === 2 ? `${before + 1}` : `${before + 1} to ${number - 1}`;
      return [
        `The files of 20${year} leave out number ${missing}: what those correct or delete is not known.`,
      ];
    });
  });
}
