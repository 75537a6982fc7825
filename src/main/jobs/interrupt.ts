import { CancelledError } from '../../shared/errors/index.ts';

/** Why a running job was told to end: what its status becomes. */
export type Interruption = 'pause' | 'stop' | 'close';

/** The reason a job's signal carries. */
export class JobInterrupt extends CancelledError {
  readonly interruption: Interruption;

  constructor(title: string, interruption: Interruption) {
    super(title);
    this.interruption = interruption;
  }
}
