import { Patience } from '../../http/patience.ts';
import { checkDigest, Digest } from '../digest.ts';
import type { DownloadOptions } from '../read/read-options.ts';
import { fetchSpan } from './fetch-span.ts';
import type { LocalTarget } from './local-target.ts';
import type { RemoteFile, Span } from './remote-file.ts';

/** A file below this size is fetched over one connection. */
export const minParallelBytes = 64 * 1024 * 1024;
const spanBytes = 32 * 1024 * 1024;
const hashBufferBytes = 1024 * 1024;

/**
 * Fetches a file in parts, several at a time. With `verify` the local file is read once more at
 * the end and compared with the SHA-256 that the daemon makes meanwhile.
 */
export async function downloadSpans(
  file: RemoteFile,
  target: LocalTarget,
  options: DownloadOptions & { readonly connections: number; readonly verify: boolean },
): Promise<void> {
  const { connections, verify, onProgress, onRetry } = options;
  // The first failure ends the other connections too.
  const failed = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, failed.signal]) : failed.signal;
  const parts = file.withSignal(signal);
  const patience = new Patience(onRetry);
  const spans = spansOf(file.sizeBytes);
  let bytes = 0;
  const onChunk = (chunk: Buffer) => {
    bytes += chunk.length;
    onProgress?.({ bytes, totalBytes: file.sizeBytes });
  };
  const work = async () => {
    for (const span of spans) await fetchSpan(parts, target, span, { patience, signal, onChunk });
  };
  const workers = Array.from({ length: connections }, async () => {
    try {
      await work();
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  });
  const results = await Promise.allSettled(workers);
  if (results.some(({ status }) => status === 'rejected'))
    throw signal.aborted ? signal.reason : new Error('A part of the download failed.');
  if (!verify) return;
  const [field, digest] = await Promise.all([file.digest(), digestOf(target)]);
  checkDigest(field, digest, file.path);
}

function* spansOf(sizeBytes: number): Generator<Span, void, undefined> {
  for (let start = 0; start < sizeBytes; start += spanBytes)
    yield { start, end: Math.min(start + spanBytes, sizeBytes) };
}

async function digestOf({ handle }: LocalTarget): Promise<Digest> {
  const digest = new Digest();
  const buffer = Buffer.allocUnsafeSlow(hashBufferBytes);
  for (let position = 0; ; ) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return digest;
    digest.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
}
