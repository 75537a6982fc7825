import { host } from '../main/hosts/headless.ts';
export const x = host;
