import type { EngramClient } from '../../../shared/contracts/index.ts';
import type { JobId } from '../../../shared/domain/index.ts';
import type { ServiceContext } from '../context.ts';
import type { HostFileBroker } from '../files/broker.ts';
import type { RunSpec } from './spec.ts';

/**
 * What the steps of a main job work with: the contract's client, and the context beneath it. Each step
 * takes what an earlier run in the same study has left and does what is missing, so that a main job that
 * was killed goes on when it is run again.
 */
export interface MainJob {
  readonly spec: RunSpec;
  /** Folder that relative paths of the specification start from. */
  readonly base: string;
  readonly client: EngramClient;
  readonly context: ServiceContext;
  readonly files: HostFileBroker;
  /** The bundled sample: its sources are marked as such. */
  readonly sample: boolean;
}

/** The end of a job, which is started again if it was paused, stopped or failed. */
export function finish(job: MainJob, id: JobId): Promise<{ readonly result: unknown }> {
  const { queue } = job.context.session.require();
  queue.resume(id);
  return queue.wait(id);
}
