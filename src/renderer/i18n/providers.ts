import { t } from './index.ts';

const NAMES: Readonly<Record<string, string>> = t.common.providers;

/** An execution provider as people write it; an unknown one as it calls itself. */
export function providerName(name: string): string {
  return NAMES[name.toLowerCase()] ?? name;
}
