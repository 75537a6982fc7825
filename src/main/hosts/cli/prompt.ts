import { UserInputError } from '../../../shared/errors/index.ts';
import { encodePrompt, type EncodeContext } from '../../../shared/pairs/index.ts';
import { wholeNumber } from './parse.ts';

/** A prompt on the command line: exactly one of the two. */
export interface PromptFlags {
  readonly text?: string;
  readonly ids?: string;
}

/** @throws UserInputError USAGE, PROMPT_TOO_LONG, and what encoding refuses. */
export function promptIds({ text, ids }: PromptFlags, context: EncodeContext): number[] {
  if ((text === undefined) === (ids === undefined)) {
    throw new UserInputError('USAGE', 'Give either --text or --ids.', 'See --help.');
  }
  const prompt = text ?? { ids: (ids ?? '').split(',').map((id) => wholeNumber('--ids', id.trim(), 0)) };
  const encoded = encodePrompt('prompt', prompt, context);
  if (encoded.length > context.nCtx) {
    throw new UserInputError(
      'PROMPT_TOO_LONG',
      `The prompt has ${encoded.length} tokens; the model reads ${context.nCtx}.`,
      'Shorten it.',
    );
  }
  return encoded;
}
