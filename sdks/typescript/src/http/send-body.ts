import { type ClientRequest, type IncomingMessage } from 'node:http';
import type { BytesBody, StreamBody } from './request.ts';

/** How long the daemon may take to say "go on" before the body is sent all the same. */
const continueWaitMs = 1000;

/**
 * Sends a body chunk by chunk, never holding more than one. Waits for the daemon's `100 Continue`
 * first, so that a request that is refused does not send its body; stops when an answer arrives.
 * @returns false when an answer came before the end of the body
 * @throws what the source throws
 */
export async function sendStream(request: ClientRequest, body: StreamBody): Promise<boolean> {
  const over = new AbortController();
  const stop = () => over.abort();
  request.once('response', stop);
  request.once('close', stop);
  request.flushHeaders();
  await continued(request, over.signal);
  if (over.signal.aborted) return false;
  for await (const chunk of body.open()) {
    if (over.signal.aborted) return false;
    if (chunk.byteLength === 0) continue;
    const more = request.write(chunk);
    // Hashing here overlaps with the kernel's sending of what was just handed over.
    body.onChunk?.(chunk);
    if (!more) await drained(request, over.signal);
    if (over.signal.aborted) return false;
  }
  const trailers = body.trailers?.();
  if (trailers !== undefined) request.addTrailers(trailers);
  request.end();
  return true;
}

/** Bytes that are handed over at a time. */
const sliceBytes = 1024 * 1024;

/** Sends bytes slice by slice, telling how far it is; stops when an answer arrives. */
export async function sendBytes(request: ClientRequest, body: BytesBody): Promise<void> {
  const over = new AbortController();
  const stop = () => over.abort();
  request.once('response', stop);
  request.once('close', stop);
  for (let at = 0; at < body.bytes.byteLength && !over.signal.aborted; at += sliceBytes) {
    const more = request.write(body.bytes.subarray(at, at + sliceBytes));
    if (!more) await drained(request, over.signal);
    body.onSent?.(Math.min(at + sliceBytes, body.bytes.byteLength));
  }
  if (!over.signal.aborted) request.end();
}

function continued(request: ClientRequest, over: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      over.removeEventListener('abort', done);
      request.off('continue', done);
      resolve();
    };
    // A proxy may swallow the expectation.
    const timer = setTimeout(done, continueWaitMs);
    request.once('continue', done);
    over.addEventListener('abort', done, { once: true });
  });
}

function drained(request: ClientRequest, over: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      request.off('drain', done);
      over.removeEventListener('abort', done);
      resolve();
    };
    request.once('drain', done);
    over.addEventListener('abort', done, { once: true });
  });
}

/** Closes the connection after the answer when the body was not sent to its end. */
export function closeAfter(request: ClientRequest, response: IncomingMessage): void {
  response.once('close', () => request.destroy());
}
