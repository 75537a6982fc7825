import { HANDLERS } from './handlers/index.ts';
import { serveCalls } from './serve.ts';
import { processPort } from './transport.ts';

/** Entry of the compute process when Node forks it. */
serveCalls(processPort(), HANDLERS, () => process.exit(0));
