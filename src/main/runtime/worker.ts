import { HANDLERS } from './handlers/index.ts';
import { serveCalls } from './serve.ts';
import { processPort } from './transport.ts';

/** Entry of the compute process, forked by Node or started by Electron as a utility process. */
serveCalls(processPort(), HANDLERS, () => process.exit(0));
