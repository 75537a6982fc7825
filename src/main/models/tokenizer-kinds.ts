import { z } from 'zod';
import { fromByteLevel } from './byte-level.ts';
import { fromPiece, joinPieces } from './pieces.ts';
import type { TokenizerFiles, TokenizerJson } from './tokenizer-files.ts';

/** How a tokenizer writes text in its vocabulary. */
export interface TokenizerKind {
  /** For people: `byte-level BPE`. */
  readonly label: (model: string) => string;
  /** One token of the vocabulary as it stands in text. */
  readonly tokenText: (token: string) => string;
  /** Tokens as text, where the library's own way is not used. */
  readonly join: ((tokens: readonly string[]) => string) | null;
}

const BYTE_LEVEL: TokenizerKind = {
  label: (model) => `byte-level ${model}`,
  tokenText: fromByteLevel,
  join: null,
};
const PIECES: TokenizerKind = {
  label: (model) => `SentencePiece ${model}`,
  tokenText: fromPiece,
  join: joinPieces,
};
const OTHER: TokenizerKind = {
  label: (model) => model,
  tokenText: (token) => token,
  join: null,
};

/** A component of tokenizer.json, or a sequence of them under any of the names that the format has. */
const Part = z
  .looseObject({
    type: z.string().optional(),
    pretokenizers: z.array(z.unknown()).optional(),
    normalizers: z.array(z.unknown()).optional(),
    decoders: z.array(z.unknown()).optional(),
  })
  .nullable()
  .catch(null);
type Part = NonNullable<z.output<typeof Part>>;

const SEQUENCES = ['pretokenizers', 'normalizers', 'decoders'] as const;

/** The components of a part, one after the other. */
function components(part: unknown): Part[] {
  const parsed = Part.parse(part ?? null);
  if (parsed === null) return [];
  const inner = SEQUENCES.flatMap((key) => parsed[key] ?? []);
  return inner.length === 0 ? [parsed] : inner.flatMap(components);
}

const has = (part: unknown, type: string): boolean => components(part).some((one) => one.type === type);

export function kindOf({ json }: TokenizerFiles): TokenizerKind {
  if (has(json.pre_tokenizer, 'ByteLevel') || has(json.decoder, 'ByteLevel')) return BYTE_LEVEL;
  if (has(json.decoder, 'ByteFallback') || has(json.decoder, 'Metaspace')) return PIECES;
  return OTHER;
}

/** Whether the start of a text is written as if a space stood before it. */
export const prependsSpace = ({ json }: TokenizerFiles): boolean =>
  has(json.normalizer, 'Prepend') || components(json.pre_tokenizer).some(prepends);

const prepends = (part: Part): boolean =>
  part.type === 'Metaspace' && part['prepend_scheme'] !== 'never' && part['add_prefix_space'] !== false;

/** The same tokenizer for text that stands inside a longer one: nothing is put before it. */
export function insideText(json: TokenizerJson): TokenizerJson {
  const normalizers = components(json.normalizer).filter((part) => part.type !== 'Prepend');
  const splitters = components(json.pre_tokenizer).map((part) =>
    part.type === 'Metaspace' ? { ...part, prepend_scheme: 'never', add_prefix_space: false } : part,
  );
  return {
    ...json,
    normalizer: normalizers.length === 0 ? null : { type: 'Sequence', normalizers },
    pre_tokenizer: splitters.length === 0 ? null : { type: 'Sequence', pretokenizers: splitters },
  };
}

const Template = z
  .object({ single: z.array(z.looseObject({ SpecialToken: z.object({ id: z.string() }).optional() })) })
  .nullable()
  .catch(null);
const AddBos = z.object({ add_bos_token: z.boolean().optional() }).catch({});

/** Whether the model's own tokenizer puts the beginning-of-text token before a text. */
export function addsBos({ json, config, bosToken }: TokenizerFiles): boolean {
  const asked = AddBos.parse(config).add_bos_token;
  if (asked !== undefined || bosToken === null) return asked === true;
  return postProcessors(json.post_processor).some(
    (part) => Template.parse(part)?.single[0]?.SpecialToken?.id === bosToken,
  );
}

const Processors = z
  .object({ processors: z.array(z.unknown()) })
  .nullable()
  .catch(null);

function postProcessors(part: unknown): unknown[] {
  return Processors.parse(part)?.processors ?? [part];
}
