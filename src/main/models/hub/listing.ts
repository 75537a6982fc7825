import { z } from 'zod';
import { type HubFile, HubManifest, HubRepo, hubRepo, KNOWN_MODELS } from '../../../shared/domain/index.ts';
import { UserInputError } from '../../../shared/errors/index.ts';
import { CONFIG_FILE } from '../config.ts';
import { TOKENIZER_FILES } from '../folder-save.ts';
import { INDEX_FILE, SINGLE_FILE } from '../safetensors.ts';
import type { HubAccess } from './access.ts';
import { damagedAnswer, type HubTarget } from './errors.ts';
import { atOnce, hubRequest, requireSuccess } from './request.ts';

/** The parts of the hub's model information that are read: `GET /api/models/{id}/revision/{rev}?blobs=true`. */
const ModelInfo = z.looseObject({
  id: z.string(),
  sha: z.string(),
  gated: z.union([z.boolean(), z.string()]).default(false),
  siblings: z.array(
    z.looseObject({
      rfilename: z.string(),
      size: z.number().int().nonnegative().nullish(),
      blobId: z.string().nullish(),
      lfs: z.looseObject({ sha256: z.string(), size: z.number().int().nonnegative() }).nullish(),
    }),
  ),
});
type Sibling = z.infer<typeof ModelInfo>['siblings'][number];

const SHARD = /^model-\d+-of-\d+\.safetensors$/;
const SMALL: readonly string[] = [CONFIG_FILE, 'generation_config.json', ...TOKENIZER_FILES];

/**
 * Asks the hub which files of a model Engram needs, with their checksums, pinned to the commit of today.
 * `typed` is a short name or `owner/name`. Throws UserInputError `HUB_NAME_INVALID`, `HUB_MODEL_UNKNOWN`,
 * `HUB_NO_SAFETENSORS`, …; EngineError `HUB_UNREACHABLE`.
 */
export async function listHubModel(
  access: HubAccess,
  typed: string,
  revision: string,
  signal: AbortSignal,
): Promise<HubManifest> {
  const repo = hubRepo(typed);
  if (repo === null) {
    throw new UserInputError(
      'HUB_NAME_INVALID',
      `“${typed}” is no model of the hub.`,
      `Give owner/name, or one of: ${KNOWN_MODELS.map(({ name }) => name).join(', ')}.`,
    );
  }
  const target: HubTarget = { hub: access.hub, repo, file: null };
  const url = `${access.hub}/api/models/${repo}/revision/${encodeURIComponent(revision)}?blobs=true`;
  const text = await atOnce(async () => {
    const { response, done } = await hubRequest(access, url, target, { accept: 'application/json' }, signal);
    try {
      requireSuccess(response, target);
      return await response.text();
    } finally {
      done();
    }
  });
  const info = ModelInfo.safeParse(parsed(text));
  if (!info.success)
    throw damagedAnswer(target, `no list of files: ${z.prettifyError(info.error).split('\n')[0] ?? ''}`);
  const { id, sha, gated, siblings } = info.data;
  const manifest = HubManifest.safeParse({
    hub: access.hub,
    // A model that moved is listed under its new name.
    repo: HubRepo.safeParse(id).success ? id : repo,
    commit: sha,
    gated: gated !== false,
    files: selectFiles(id, siblings).map((sibling) => fileOf(sibling)),
  });
  if (!manifest.success) throw damagedAnswer(target, 'files without sizes or checksums');
  return manifest.data;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function fileOf({ rfilename, size, blobId, lfs }: Sibling): z.input<typeof HubFile> {
  return {
    name: rfilename,
    bytes: lfs?.size ?? size ?? -1,
    sha256: lfs?.sha256 ?? null,
    // For a file in large-file storage git's blob is the pointer, not the content.
    gitSha1: lfs === undefined || lfs === null ? (blobId ?? null) : null,
  };
}

/** Configuration, tokenizer and weights, small files first. Weights as safetensors only: opening one runs no code. */
function selectFiles(repo: string, siblings: readonly Sibling[]): Sibling[] {
  const names = siblings.map(({ rfilename }) => rfilename);
  if (!names.includes(CONFIG_FILE)) {
    throw new UserInputError(
      'HUB_NO_CONFIG',
      `${repo} has no ${CONFIG_FILE}, so it is no transformers model.`,
      'Choose the repository of the original model.',
    );
  }
  const weights = names.includes(SINGLE_FILE)
    ? [SINGLE_FILE]
    : names.includes(INDEX_FILE)
      ? [INDEX_FILE, ...names.filter((name) => SHARD.test(name))]
      : [];
  if (weights.length === 0) throw noSafetensors(repo, names);
  const wanted = new Set([...SMALL, ...weights]);
  return siblings
    .filter(({ rfilename }) => wanted.has(rfilename))
    .sort((a, b) => (a.lfs?.size ?? a.size ?? 0) - (b.lfs?.size ?? b.size ?? 0));
}

function noSafetensors(repo: string, names: readonly string[]): UserInputError {
  const others = names.filter((name) => /\.(bin|h5|msgpack|gguf|onnx|pt|pth|ckpt)$/.test(name));
  const only = others.length === 0 ? 'no weights' : `its weights only as ${others.slice(0, 3).join(', ')}`;
  return new UserInputError(
    'HUB_NO_SAFETENSORS',
    `${repo} has ${only}; Engram reads safetensors.`,
    'Convert it where transformers is installed (`AutoModelForCausalLM.from_pretrained(NAME).save_pretrained(FOLDER)`, and the tokenizer likewise) and import that folder, or name a revision that has safetensors.',
  );
}
