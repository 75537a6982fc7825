import type { EngramEvents, EventName } from '../../shared/contracts/index.ts';

/** Tells whoever listens (renderer, terminal) that something happened. Given by the host. */
export type Emit = <K extends EventName>(event: K, payload: EngramEvents[K]) => void;
