import { thing } from '../main/engine/fine.ts';
export const x = thing;
