import { HANDLERS } from '../runtime/handlers/index.ts';
import { serveCalls } from '../runtime/serve.ts';
import { parentPort, portAdapter } from './utility-port.ts';

/** Entry of the compute process under Electron: its port arrives with the first message. */
parentPort().once('message', ({ ports }) => {
  const [port] = ports;
  if (port !== undefined) serveCalls(portAdapter(port), HANDLERS, () => process.exit(0));
});
