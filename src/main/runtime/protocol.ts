import type { SerializedError } from '../../shared/errors/index.ts';
import type { CallOptions, ComputeApi } from './api.ts';
import type { ProviderName } from './providers.ts';

/** Names of the calls, in one place for both ends. */
export type Method = keyof ComputeApi;
export type RequestOf<M extends Method> = Parameters<ComputeApi[M]>[0];
export type ResultOf<M extends Method> = Awaited<ReturnType<ComputeApi[M]>>;
export type EventOf<M extends Method> =
  Exclude<Parameters<ComputeApi[M]>[1], undefined> extends CallOptions<infer E> ? E : never;

/** Every method of the API; the compiler rejects a name too many or too few. */
const METHOD_TABLE: Readonly<Record<Method, true>> = {
  info: true,
  selfCheck: true,
  load: true,
  logits: true,
  generate: true,
  evaluate: true,
  planPatch: true,
  patch: true,
  planAttribute: true,
  attribute: true,
  lens: true,
  dla: true,
  attention: true,
  attentionOutcome: true,
  train: true,
  release: true,
};
export const METHODS: readonly Method[] = Object.keys(METHOD_TABLE) as Method[]; // keys of a Record<Method, _>

/** How the compute process is set up; the first message it receives. */
export interface ComputeSettings {
  /** Threads for one run; 0 = one per core. */
  readonly threads: number;
  /** Asked for; the CPU stands in, with a notice, where it cannot be had. */
  readonly provider: ProviderName;
  /** What models, activations and optimiser state together should stay under. */
  readonly memoryLimitBytes: number;
  /** Where copies of weights converted to float32 are kept; absent = among the system's temporary files. */
  readonly cacheFolder?: string;
}

/** Parent to compute process. */
export type ParentMessage =
  | { readonly type: 'init'; readonly settings: ComputeSettings }
  | { readonly type: 'call'; readonly id: number; readonly method: Method; readonly request: unknown }
  | { readonly type: 'cancel'; readonly id: number }
  | { readonly type: 'exit' };

/** Compute process to parent. */
export type WorkerMessage =
  | { readonly type: 'event'; readonly id: number; readonly event: unknown }
  | { readonly type: 'result'; readonly id: number; readonly value: unknown }
  | { readonly type: 'error'; readonly id: number; readonly error: SerializedError };
