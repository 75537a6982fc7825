import { session } from '../runtime/session.ts';
export const x = session;
