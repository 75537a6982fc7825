import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { InvariantError, UserInputError } from '../../shared/errors/index.ts';
import type { ModelConfig } from '../../shared/domain/index.ts';
import type { Graph, Tensor } from '../engine/graph/index.ts';
import type { Weights } from '../engine/nn/family.ts';
import type { WeightSource } from '../engine/nn/readGraphs.ts';
import { openModelFolder, type ModelFolder } from '../models/index.ts';
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

  /** Compiles a graph whose external weights lie in this folder. */
  compile(graph: Graph): Promise<Session> {
    return this.#sessions.open(graph, { folder: this.folder.folder, prepack: this.#prepack });
  }

  /** The session of that name, compiled at the first call. */
  session(name: string, graph: () => Graph): Promise<Session> {
    const known = this.#made.get(name);
    if (known !== undefined) return known;
    const made = this.compile(graph());
    this.#made.set(name, made);
    made.catch(() => this.#made.delete(name));
    return made;
  }

  async close(): Promise<void> {
    const sessions = [...this.#made.values()];
    this.#made.clear();
    for (const made of sessions) await (await made).close();
  }
}

interface Slot {
  readonly stamp: string;
  readonly model: Promise<LoadedModel>;
}

/** The models of one compute process, by folder; a folder whose files have changed is opened anew. */
export class ModelCache {
  readonly #sessions: SessionFactory;
  readonly #memoryLimitBytes: number;
  readonly #slots = new Map<string, Slot>();

  constructor(sessions: SessionFactory, memoryLimitBytes: number) {
    this.#sessions = sessions;
    this.#memoryLimitBytes = memoryLimitBytes;
  }

  /**
   * @throws UserInputError or FormatError naming the file when the folder is no usable model.
   */
  async get(folder: string): Promise<LoadedModel> {
    const key = resolve(folder);
    const stamp = await stampOf(key);
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
    requireFloat32(opened);
    return new LoadedModel(opened, this.#sessions, this.#memoryLimitBytes);
  }
}

/** @throws UserInputError MODEL_NOT_FLOAT32 for weights in another number format. */
function requireFloat32(model: ModelFolder): void {
  for (const [name, entry] of model.tensors) {
    if (entry.dtype !== 'F32') {
      throw new UserInputError(
        'MODEL_NOT_FLOAT32',
        `${entry.file}: weight ${name} is stored as ${entry.dtype}; the engine computes with float32 weights.`,
        'Save the model with torch_dtype=float32 and choose that folder.',
      );
    }
  }
}

/** What changes when the files of a model folder are replaced. */
async function stampOf(folder: string): Promise<string> {
  const parts: string[] = [];
  for (const name of ['config.json', 'model.safetensors', 'model.safetensors.index.json']) {
    try {
      const { mtimeMs, size, ino } = await stat(join(folder, name));
      parts.push(`${name}:${mtimeMs}:${size}:${ino}`);
    } catch {
      parts.push(name); // its absence is part of the stamp; opening the folder reports what is missing
    }
  }
  return parts.join('|');
}
