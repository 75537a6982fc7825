import { z } from 'zod';

/** Where models are fetched from unless a setting or the environment names another place. */
export const DEFAULT_HUB = 'https://huggingface.co';

/** Models people ask for by a short name: its repository on the hub, and its number of parameters. */
export const KNOWN_MODELS = [
  { name: 'gpt2', repo: 'openai-community/gpt2', parameters: 124e6 },
  { name: 'gpt2-medium', repo: 'openai-community/gpt2-medium', parameters: 355e6 },
  { name: 'gpt2-large', repo: 'openai-community/gpt2-large', parameters: 774e6 },
  { name: 'gpt2-xl', repo: 'openai-community/gpt2-xl', parameters: 1558e6 },
  { name: 'distilgpt2', repo: 'distilbert/distilgpt2', parameters: 82e6 },
  { name: 'pythia-70m', repo: 'EleutherAI/pythia-70m', parameters: 70e6 },
  { name: 'pythia-160m', repo: 'EleutherAI/pythia-160m', parameters: 162e6 },
  { name: 'pythia-410m', repo: 'EleutherAI/pythia-410m', parameters: 405e6 },
] as const;

/** `owner/name` of a repository, as the hub allows it. */
export const HubRepo = z
  .string()
  .max(140)
  .regex(/^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/);

/** Files of a model folder that Engram reads; nothing else is ever fetched. */
const WANTED = /^(?:[a-z_]+\.json|merges\.txt|model(?:-\d+-of-\d+)?\.safetensors(?:\.index\.json)?)$/;

/** One file of a repository at one commit, with the checksum that the hub publishes for it. */
export const HubFile = z.object({
  name: z.string().regex(WANTED),
  bytes: z.number().int().nonnegative(),
  /** SHA-256 of the content, for files kept in large-file storage (the weights). */
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable(),
  /** SHA-1 of git's blob (`blob <size>\0` and the content), for the small files. */
  gitSha1: z
    .string()
    .regex(/^[0-9a-f]{40}$/)
    .nullable(),
});
export type HubFile = z.infer<typeof HubFile>;

/** Exactly what is fetched: files of one repository, pinned to one commit. */
export const HubManifest = z.object({
  hub: z.url({ protocol: /^https?$/ }),
  repo: HubRepo,
  commit: z.string().regex(/^[0-9a-f]{40}$/),
  /** The hub gives the files only to people who accepted the owner's conditions. */
  gated: z.boolean(),
  files: z.array(HubFile).min(1),
});
export type HubManifest = z.infer<typeof HubManifest>;

/** A manifest and what of it lies on this machine. */
export const HubListing = z.object({
  manifest: HubManifest,
  /** The folder the files go to. */
  folder: z.string(),
  /** Address of each file, and the bytes of it that are here already. */
  files: z.array(HubFile.extend({ url: z.url(), here: z.number().int().nonnegative() })),
  totalBytes: z.number().int(),
  /** Bytes that have to be fetched. */
  missingBytes: z.number().int(),
  freeBytes: z.number(),
});
export type HubListing = z.infer<typeof HubListing>;

/** Address of a file at the manifest's commit. */
export function hubFileUrl(
  { hub, repo, commit }: Omit<HubManifest, 'files' | 'gated'>,
  name: string,
): string {
  return `${hub.replace(/\/+$/, '')}/${repo}/resolve/${commit}/${name}`;
}

/** The repository behind what a person types: a known short name, or `owner/name`; null for anything else. */
export function hubRepo(typed: string): string | null {
  const name = typed
    .trim()
    .replace(/^https?:\/\/huggingface\.co\//, '')
    .replace(/\/+$/, '');
  const known = KNOWN_MODELS.find((model) => model.name === name);
  if (known !== undefined) return known.repo;
  return HubRepo.safeParse(name).success ? name : null;
}
