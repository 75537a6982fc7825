import { toEngramError, type EngramError } from '../../shared/errors/index.ts';

/**
 * Runs a streaming computation whose events are stored as they come. A listener that throws ends the
 * computation, and its error, not the cancellation, is what the caller sees.
 */
export async function runStreaming<E, R>(
  signal: AbortSignal,
  run: (options: { readonly signal: AbortSignal; readonly onEvent: (event: E) => void }) => Promise<R>,
  listener: (event: E) => void,
): Promise<R> {
  const own = new AbortController();
  let failure: EngramError | null = null;
  const onEvent = (event: E): void => {
    if (failure !== null) return;
    try {
      listener(event);
    } catch (error) {
      failure = toEngramError(error);
      own.abort(failure);
    }
  };
  const failed = (): EngramError | null => failure;
  try {
    const result = await run({ signal: AbortSignal.any([signal, own.signal]), onEvent });
    const late = failed();
    if (late !== null) throw late;
    return result;
  } catch (error) {
    throw failed() ?? error;
  }
}
