import type { IncomingMessage } from 'node:http';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';

export interface ReceiveBodyOptions {
  /** After so long without a byte the body is given up, in milliseconds. */
  readonly idleTimeoutMs: number;
  /** What `target` is destroyed with then. */
  readonly onIdle: () => Error;
}

/**
 * Streams the body of a request into `target`; resolves when `target` has finished. Unlike
 * `pipeline` it leaves the request alive when `target` fails, so that the connection can still
 * carry the answer and the rest of the body can be read to nowhere.
 * @throws the error of `target`; Error when the client has gone
 */
export async function receiveBody(
  request: IncomingMessage,
  target: Writable,
  options: ReceiveBodyOptions,
): Promise<void> {
  const onGone = () => {
    if (!request.readableEnded) target.destroy(new Error('the connection ended within the body'));
  };
  const onIdle = () => {
    // Nothing comes because nothing is read: the disk is slow, not the client.
    if (target.writableNeedDrain || request.complete) timer.refresh();
    else target.destroy(options.onIdle());
  };
  const timer = setTimeout(onIdle, options.idleTimeoutMs);
  const onData = () => timer.refresh();
  request.on('error', onGone).on('close', onGone).on('data', onData);
  try {
    if (request.destroyed) onGone();
    else request.pipe(target);
    await finished(target);
  } finally {
    clearTimeout(timer);
    request.unpipe(target);
    request.off('close', onGone).off('data', onData);
  }
}
