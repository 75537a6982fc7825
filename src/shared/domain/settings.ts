import { z } from 'zod';
import { DEFAULT_HUB } from './hub.ts';

export const Settings = z.object({
  theme: z.enum(['system', 'light', 'dark']).default('system'),
  /** Threads for computation; 0 = one per physical core. */
  threads: z.number().int().min(0).max(256).default(0),
  /** Execution provider asked for; falls back to the CPU with a visible notice. */
  provider: z.enum(['cpu', 'cuda', 'dml', 'webgpu']).default('cpu'),
  memoryLimitMb: z.number().int().min(256).max(1_048_576).default(8192),
  /** Where models are fetched from, when a user starts it. */
  hub: z.url({ protocol: /^https?$/ }).default(DEFAULT_HUB),
  /** Sent with every request to PubMed, as NCBI asks; '' = none yet. */
  pubmedEmail: z.string().max(200).default(''),
  singleKeyShortcuts: z.boolean().default(true),
});
export type Settings = z.infer<typeof Settings>;
