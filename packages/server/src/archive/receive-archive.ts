import { PassThrough } from 'node:stream';
import type { TreeWriter } from '@sandport/driver';
import { SandportFault } from '@sandport/protocol';
import type { Exchange } from '../http/exchange.ts';
import { receiveBody } from '../http/receive-body.ts';
import { unpacked } from './compression.ts';
import { invalidArchive } from './tar-entry.ts';
import { type UnpackLimits, type UnpackedCounts, unpackTree } from './unpack-tree.ts';

const bufferBytes = 256 * 1024;

export interface ReceiveArchiveOptions extends UnpackLimits {
  /** The directory that is unpacked into, for messages. */
  readonly path: string;
  /** After so long without a byte the body is given up, in milliseconds. */
  readonly idleTimeoutMs: number;
}

/**
 * Unpacks the body of a request while it comes. What was unpacked before an error stays.
 * @throws SandportFault as `unpackTree`; `incomplete_body`, `request_timeout`, `format_unavailable`
 */
export async function receiveArchive(
  exchange: Exchange,
  writer: TreeWriter,
  options: ReceiveArchiveOptions,
): Promise<UnpackedCounts> {
  const { request } = exchange;
  const { path, idleTimeoutMs } = options;
  const body = new PassThrough({ highWaterMark: bufferBytes });
  const onIdle = () =>
    new SandportFault('request_timeout', `Nothing of the archive came for ${idleTimeoutMs} ms.`);
  request.on('data', (chunk: Buffer) => (exchange.bytesIn += chunk.length));
  exchange.takeBody();
  const [received, written] = await Promise.allSettled([
    receiveBody(request, body, { idleTimeoutMs, onIdle }),
    unpackBody(body, writer, options),
  ]);
  if (written.status === 'fulfilled') return written.value;
  const hasGone = request.destroyed && !request.complete;
  if (hasGone && received.status === 'rejected') throw cutShort(exchange, path, received.reason);
  throw written.reason;
}

async function unpackBody(
  body: PassThrough,
  writer: TreeWriter,
  options: ReceiveArchiveOptions,
): Promise<UnpackedCounts> {
  try {
    return await unpackTree(await unpacked(body), writer, options.path, options);
  } catch (error) {
    const fault =
      error instanceof SandportFault
        ? error
        : invalidArchive(options.path, String(error), undefined, error);
    // The rest of the body is not wanted any more.
    body.destroy(fault);
    throw fault;
  }
}

function cutShort(exchange: Exchange, path: string, cause: unknown): SandportFault {
  const expected = exchange.request.headers['content-length'];
  return new SandportFault(
    'incomplete_body',
    `The archive ended after ${exchange.bytesIn} of ${expected ?? 'an unknown number of'} bytes; what was unpacked before stays.`,
    { path, expected_bytes: Number(expected ?? 0), received_bytes: exchange.bytesIn },
    { cause },
  );
}
