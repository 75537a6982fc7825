import { session } from '../main/runtime/session.ts';
export const x = session;
