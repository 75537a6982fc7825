import { basename, resolve } from 'node:path';
import { openModelFolder, openTokenizer, type ModelFolder, type TextTokenizer } from '../../models/index.ts';
import { bosTokenFor, type BosChoice, type EncodeContext } from '../../../shared/pairs/index.ts';
import { spawnCompute, type ComputeClient, type SpawnOptions } from '../../runtime/client.ts';
import { cacheFolder, userFolders } from '../paths.ts';
import type { CommandContext } from './command.ts';
import { oneOf, wholeNumber } from './parse.ts';
import type { Terminal } from './terminal.ts';
import { z } from 'zod';

/** A Hugging Face folder opened for a command that works without a study. */
export interface FolderModel {
  readonly name: string;
  readonly folder: string;
  readonly model: ModelFolder;
  readonly tokenizer: TextTokenizer | null;
  readonly context: EncodeContext;
}

export async function openFolderModel(path: string, bos: BosChoice): Promise<FolderModel> {
  const folder = resolve(path);
  const [model, tokenizer] = await Promise.all([openModelFolder(folder), openTokenizer(folder)]);
  const { config } = model;
  const context = {
    tokenizer,
    bos: bosTokenFor(bos, config.bosTokenId ?? tokenizer?.bosTokenId ?? null, tokenizer?.addsBos ?? false),
    vocabSize: config.vocabSize,
    nCtx: config.nCtx,
  };
  return { name: basename(folder), folder, model, tokenizer, context };
}

export interface ComputeFlags {
  readonly threads?: string;
  readonly provider?: string;
}

const Provider = z.enum(['cpu', 'cuda', 'dml', 'webgpu']);

/** What `--threads` and `--provider` ask for. */
export function computeChoice(flags: ComputeFlags): Pick<SpawnOptions, 'threads' | 'provider'> {
  return {
    ...(flags.threads === undefined ? {} : { threads: wholeNumber('--threads', flags.threads, 0) }),
    ...(flags.provider === undefined ? {} : { provider: oneOf('--provider', Provider, flags.provider) }),
  };
}

/** Says on stderr when the CPU stood in for the provider that was asked for. */
export async function noteFallback(terminal: Terminal, compute: ComputeClient): Promise<void> {
  if (!compute.running) return;
  const { notice } = await compute.info();
  if (notice !== null) terminal.note(notice);
}

/** Runs `work` with a compute process that ends with it. */
export async function withCompute<T>(
  { paths, data, terminal }: CommandContext,
  flags: ComputeFlags,
  work: (compute: ComputeClient) => Promise<T>,
): Promise<T> {
  const compute = spawnCompute({
    entry: paths.compute,
    cacheFolder: cacheFolder(userFolders(data)),
    ...computeChoice(flags),
  });
  try {
    const result = await work(compute);
    await noteFallback(terminal, compute);
    return result;
  } finally {
    compute.dispose();
  }
}
