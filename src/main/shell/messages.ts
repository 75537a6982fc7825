import type { FileHandle } from '../../shared/contracts/index.ts';

/** What the main process tells the core process (which runs the services). Ports travel beside a message. */
export type ToCore =
  /** Beside it: a port of a page. */
  | { readonly type: 'page' }
  /** Beside it: the port of the compute process that was asked for. */
  | { readonly type: 'compute'; readonly id: number }
  | { readonly type: 'compute-exit'; readonly id: number; readonly code: number }
  | { readonly type: 'register'; readonly call: number; readonly paths: readonly string[] }
  | { readonly type: 'save'; readonly call: number; readonly offer: string; readonly path: string }
  /** A secret from the keychain, sent when the core starts. */
  | { readonly type: 'secret'; readonly name: string; readonly value: string }
  | { readonly type: 'secret-kept'; readonly call: number; readonly error: string | null }
  | { readonly type: 'close' };

/** What the core process tells the main process. */
export type FromCore =
  | { readonly type: 'spawn-compute'; readonly id: number; readonly entry: string }
  | { readonly type: 'kill-compute'; readonly id: number }
  | { readonly type: 'registered'; readonly call: number; readonly handles: readonly FileHandle[] }
  | { readonly type: 'saved'; readonly call: number; readonly error: string | null }
  /** Keep a secret in the keychain, or remove it. */
  | {
      readonly type: 'keep-secret';
      readonly call: number;
      readonly name: string;
      readonly value: string | null;
    }
  | { readonly type: 'closed' };
