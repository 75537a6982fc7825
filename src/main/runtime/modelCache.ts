import { readdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { InvariantError, UserInputError } from '../../shared/errors/index.ts';
import type { ModelConfig } from '../../shared/domain/index.ts';
import type { Graph, Tensor } from '../engine/graph/index.ts';
import type { Weights } from '../engine/nn/family.ts';
import type { WeightSource } from '../engine/nn/readGraphs.ts';
import {
  byteText,
  float32Bytes,
  openModelFolder,
  parameterCount,
  withFloat32Weights,
  type ModelFolder,
} from '../models/index.ts';
import { machineMemoryBytes } from './memory.ts';
import type { Session, SessionFactory } from './sessions.ts';

/** Weights above this share of the memory limit are not kept a second time in the runtime's own layout. */
const PREPACK_SHARE = 1 / 8;

/** A model folder that is in use: its configuration, and its compiled graphs, each made when first asked for. */
export class LoadedModel {
  readonly folder: ModelFolder;
  readonly config: ModelConfig;
  readonly weightBytes: number;
  readonly #sessions: SessionFactory;
  readonly #prepack: boolean;
  readonly #made = new Map<string, Promise<Session>>();

  constructor(folder: ModelFolder, sessions: SessionFactory, memoryLimitBytes: number) {
    this.folder = folder;
    this.config = folder.config;
    this.#sessions = sessions;
    this.weightBytes = [...folder.tensors.values()].reduce((sum, t) => sum + t.length, 0);
    this.#prepack = this.weightBytes <= memoryLimitBytes * PREPACK_SHARE;
  }

  /** Weights as constants of a graph whose bytes lie in the folder's files, mapped into memory by the runtime. */
  readonly weights: WeightSource = (g: Graph): Weights => {
    const known = new Map<string, Tensor>();
    return (name) => {
      const made = known.get(name);
      if (made !== undefined) return made;
      const entry = this.folder.tensors.get(name);
      if (entry === undefined) throw new InvariantError(`${this.folder.folder} has no weight ${name}`);
      const tensor = g.external(name, entry.shape, entry);
      known.set(name, tensor);
      return tensor;
    };
  };

  /** Compiles a graph whose external weights lie in this folder; `shared`: mapped, never copied into the runtime's layout, and holding nothing between runs. */
  compile(graph: Graph, options: { readonly shared?: boolean } = {}): Promise<Session> {
    const prepack = this.#prepack && options.shared !== true;
    return this.#sessions.open(graph, {
      folder: this.folder.folder,
      prepack,
      keepMemory: options.shared !== true,
    });
  }

  /** The session of that name, compiled at the first call. */
  session(name: string, graph: () => Graph, options: { readonly shared?: boolean } = {}): Promise<Session> {
    const known = this.#made.get(name);
    if (known !== undefined) return known;
    const made = this.compile(graph(), options);
    this.#made.set(name, made);
    made.catch(() => this.#made.delete(name));
    return made;
  }

  /** Closes one session; the next call for its name compiles it again. */
  async closeSession(name: string): Promise<void> {
    const made = this.#made.get(name);
    this.#made.delete(name);
    if (made !== undefined) await (await made).close();
  }

  async close(): Promise<void> {
    const sessions = [...this.#made.values()];
    this.#made.clear();
    for (const made of sessions) await (await made).close();
  }
}

/** Share of the machine's memory that a model's weights may take. */
const WEIGHTS_SHARE = 7 / 8;

export interface ModelCacheOptions {
  /** Where converted copies of weights are kept; default: a folder among the system's temporary files. */
  readonly cacheFolder?: string;
  /** Memory of the machine in bytes; default: what the system says. */
  readonly machineBytes?: number;
  /** Compares the provider in use with the CPU on a model that was just opened. */
  readonly proveModel?: (model: LoadedModel) => Promise<void>;
}

interface Slot {
  readonly stamp: string;
  readonly model: Promise<LoadedModel>;
}

/** The models of one compute process, by folder; a folder whose files have changed is opened anew. */
export class ModelCache {
  readonly #sessions: SessionFactory;
  readonly #memoryLimitBytes: number;
  readonly #cacheFolder: string;
  readonly #machineBytes: number;
  readonly #proveModel: (model: LoadedModel) => Promise<void>;
  readonly #slots = new Map<string, Slot>();

  constructor(sessions: SessionFactory, memoryLimitBytes: number, options: ModelCacheOptions = {}) {
    this.#sessions = sessions;
    this.#memoryLimitBytes = memoryLimitBytes;
    this.#cacheFolder = options.cacheFolder ?? join(tmpdir(), 'engram-cache');
    this.#machineBytes = options.machineBytes ?? machineMemoryBytes();
    this.#proveModel = options.proveModel ?? (() => Promise.resolve());
  }

  /**
   * The model of a folder, its weights as float32.
   * @throws UserInputError or FormatError naming the file when the folder is no usable model; UserInputError
   * `MODEL_TOO_LARGE` with the numbers when its weights are more than this machine can hold.
   */
  async get(folder: string): Promise<LoadedModel> {
    const key = resolve(folder);
    // Graphs that were compiled for a provider that has failed since are compiled again.
    const stamp = `${this.#sessions.provider}|${await stampOf(key)}`;
    const slot = this.#slots.get(key);
    if (slot?.stamp === stamp) return slot.model;
    if (slot !== undefined) await this.release(key);
    const model = this.#open(key);
    this.#slots.set(key, { stamp, model });
    model.catch(() => this.#slots.delete(key));
    return model;
  }

  /** Closes the sessions of one folder, or of all. */
  async release(folder?: string): Promise<void> {
    const keys = folder === undefined ? [...this.#slots.keys()] : [resolve(folder)];
    for (const key of keys) {
      const slot = this.#slots.get(key);
      this.#slots.delete(key);
      if (slot !== undefined) await (await slot.model).close();
    }
  }

  async #open(folder: string): Promise<LoadedModel> {
    const opened = await openModelFolder(folder);
    requireMemory(opened, this.#machineBytes);
    const readable = await withFloat32Weights(opened, this.#cacheFolder);
    const model = new LoadedModel(readable, this.#sessions, this.#memoryLimitBytes);
    await this.#proveModel(model);
    return model;
  }
}

/**
 * Weights are mapped, so that the system may drop what is not in use; more of them than memory would be read
 * from disk again at every run.
 */
function requireMemory(model: ModelFolder, machineBytes: number): void {
  const needed = float32Bytes(model);
  const allowed = Math.floor(machineBytes * WEIGHTS_SHARE);
  if (needed <= allowed) return;
  const parameters = parameterCount(model.config).toLocaleString('en-US');
  throw new UserInputError(
    'MODEL_TOO_LARGE',
    `${model.folder} has ${parameters} parameters, which take ${byteText(needed)} of memory as float32; ` +
      `this machine has ${byteText(machineBytes)}, of which a model may take ${byteText(allowed)}.`,
    'Choose a smaller model, or a machine with more memory.',
  );
}

/** Files whose replacement makes another model of a folder. */
const MODEL_FILES = /^(config\.json|.*\.safetensors|.*\.safetensors\.index\.json)$/;

/** What changes when the files of a model folder are replaced; empty where there is none, which opening it reports. */
async function stampOf(folder: string): Promise<string> {
  const names = await readdir(folder).catch((): string[] => []);
  const parts = names
    .filter((name) => MODEL_FILES.test(name))
    .sort()
    .map((name) =>
      stat(join(folder, name)).then(
        ({ mtimeMs, size, ino }) => `${name}:${mtimeMs}:${size}:${ino}`,
        () => name, // gone again; opening the folder reports what is missing
      ),
    );
  return (await Promise.all(parts)).join('|');
}
