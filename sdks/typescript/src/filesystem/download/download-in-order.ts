import type { IncomingMessage } from 'node:http';
import { header } from '../../http/answer-body.ts';
import { Patience } from '../../http/patience.ts';
import { checkDigest, Digest } from '../digest.ts';
import type { DownloadOptions } from '../read/read-options.ts';
import { fetchSpan } from './fetch-span.ts';
import type { LocalTarget } from './local-target.ts';
import type { RemoteFile } from './remote-file.ts';

/**
 * Fetches a file over one connection, which is made again where it broke, and hashes on the way.
 * @param first the answer to a request for the whole file
 * @returns bytes of the file
 */
export async function downloadInOrder(
  file: RemoteFile,
  target: LocalTarget,
  first: IncomingMessage,
  options: DownloadOptions & { readonly verify: boolean },
): Promise<number> {
  const { verify, onProgress, onRetry, signal } = options;
  const digest = new Digest();
  const totalBytes = Number.isFinite(file.sizeBytes) ? file.sizeBytes : undefined;
  let bytes = 0;
  const onChunk = (chunk: Buffer) => {
    bytes += chunk.length;
    if (verify) digest.update(chunk);
    onProgress?.({ bytes, totalBytes });
  };
  const span = { start: 0, end: totalBytes ?? Number.POSITIVE_INFINITY };
  const patience = new Patience(onRetry);
  const wasBroken = await fetchSpan(file, target, span, { first, patience, signal, onChunk });
  if (verify) {
    const announced = header(first, 'repr-digest') ?? first.trailers['repr-digest'];
    checkDigest(wasBroken ? await file.digest() : announced, digest, file.path);
  }
  return bytes;
}
