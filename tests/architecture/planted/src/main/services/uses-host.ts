import { host } from '../hosts/headless.ts';
export const x = host;
