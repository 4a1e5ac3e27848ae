import type { IncomingMessage } from 'node:http';
import type { LocalTarget } from './local-target.ts';

/** Bytes gathered before they are written: a few large writes are faster than many small ones. */
const gatherBytes = 1024 * 1024;

/**
 * Writes a body into a local file from a position on. Bytes come while others are written, up to
 * 1 MiB of them.
 * @param onChunk called with each chunk, and the position behind it, before it is written
 * @returns the position behind the last byte, however the body ended
 * @throws what the writing throws; `onBroken` gets what the body ended with
 */
export function writeBody(
  message: IncomingMessage,
  target: LocalTarget,
  position: number,
  onChunk: (chunk: Buffer, position: number) => void,
): Promise<BodyEnd> {
  return new Promise((resolve, reject) => {
    let received = position;
    let gathered: Buffer[] = [];
    let gatheredBytes = 0;
    let writing = false;
    let end: Omit<BodyEnd, 'position'> | undefined;

    const flush = () => {
      if (writing) return;
      if (gatheredBytes === 0) {
        if (end !== undefined) resolve({ ...end, position: received });
        return;
      }
      const chunks = gathered;
      const at = received - gatheredBytes;
      gathered = [];
      gatheredBytes = 0;
      writing = true;
      message.resume();
      target.write(chunks, at).then(
        () => {
          writing = false;
          if (end !== undefined || gatheredBytes >= gatherBytes) flush();
        },
        (error: unknown) => {
          message.destroy();
          reject(error);
        },
      );
    };
    message.on('data', (chunk: Buffer) => {
      received += chunk.length;
      gathered.push(chunk);
      gatheredBytes += chunk.length;
      try {
        onChunk(chunk, received);
      } catch (error) {
        message.destroy();
        reject(error);
        return;
      }
      if (gatheredBytes < gatherBytes) return;
      if (writing) message.pause();
      else flush();
    });
    const over = (how: Omit<BodyEnd, 'position'>) => {
      if (end !== undefined) return;
      end = how;
      flush();
    };
    message.once('end', () => over({ error: undefined }));
    message.once('error', (error) => over({ error }));
    const closed = () => over({ error: message.errored ?? new Error('the connection was closed') });
    message.once('close', closed);
    // It may have broken before this function was called.
    if (message.destroyed) closed();
  });
}

/** How far a body came. */
export interface BodyEnd {
  readonly position: number;
  /** What broke it off. */
  readonly error: Error | undefined;
}
