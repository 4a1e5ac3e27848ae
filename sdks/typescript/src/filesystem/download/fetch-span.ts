import type { IncomingMessage } from 'node:http';
import { NetworkError } from '../../errors/client-errors.ts';
import type { Patience } from '../../http/patience.ts';
import type { LocalTarget } from './local-target.ts';
import type { RemoteFile, Span } from './remote-file.ts';
import { writeBody } from './write-body.ts';

export interface FetchSpanOptions {
  /** An answer whose body begins at the start of the span. @default one is asked for */
  readonly first?: IncomingMessage | undefined;
  /** Shared by spans that are fetched side by side. */
  readonly patience: Patience;
  readonly signal: AbortSignal | undefined;
  /** Sees the chunks of the span, in order. */
  readonly onChunk: (chunk: Buffer) => void;
}

/**
 * Fetches a part of a file into the same place of the local one, and asks again from where it broke
 * off. An end that is not finite is wherever the first answer ends.
 * @returns true when the connection broke on the way
 * @throws ConflictError `file_changed`; NetworkError when it does not get further
 */
export async function fetchSpan(
  file: RemoteFile,
  target: LocalTarget,
  { start, end }: Span,
  { first, patience, signal, onChunk }: FetchSpanOptions,
): Promise<boolean> {
  let message = first;
  let position = start;
  let wasBroken = false;
  while (message !== undefined || position < end) {
    try {
      message ??= await file.span({ start: position, end });
      const came = await writeBody(message, target, position, onChunk);
      if (came.position > position) patience.progress();
      position = came.position;
      if (came.error !== undefined) throw file.broken(came.error);
      if (Number.isFinite(end) && position !== end)
        throw new NetworkError(`Of ${file.path} came ${position - start} of ${end - start} bytes.`);
      message = undefined;
      if (!Number.isFinite(end)) return false;
    } catch (error) {
      message?.destroy();
      message = undefined;
      if (!file.hasParts || position > end) throw error;
      await patience.pause(error, signal);
      wasBroken = true;
    }
  }
  return wasBroken;
}
