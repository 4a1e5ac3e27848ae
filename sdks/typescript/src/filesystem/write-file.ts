import { type WriteResult, writeResultSchema } from '@sandport/protocol';
import { SandportError } from '../errors/sandport-error.ts';
import { header } from '../http/answer-body.ts';
import type { RequestBody, RequestSpec } from '../http/request.ts';
import type { Transport } from '../http/transport.ts';
import { type ContentSource, slices } from './content.ts';
import { checkDigest, Digest } from './digest.ts';
import type { WriteOptions } from './progress.ts';
import type { FileTarget } from './read-file.ts';

/** Up to here bytes go in one piece, with their digest in the head of the request. */
const onePieceBytes = 1024 * 1024;
const sliceBytes = 512 * 1024;

/**
 * Puts content to a file of a sandbox. The digest goes with the bytes, so that the daemon replaces
 * the old file only with what was sent; its answer is checked against it once more.
 */
export async function writeFile(
  transport: Transport,
  target: FileTarget,
  source: ContentSource,
  options: WriteOptions,
): Promise<WriteResult> {
  const { signal, onProgress, mode } = options;
  const total = source.kind === 'bytes' ? source.bytes.byteLength : source.sizeBytes;
  const upload = new Upload(source, (bytes) => onProgress?.({ bytes, totalBytes: total }));
  const spec: RequestSpec = {
    method: 'PUT',
    path: target.fsPath,
    query: { path: target.path, mode: mode?.toString(8).padStart(4, '0') },
    headers: { 'content-type': 'application/octet-stream', ...upload.headers },
    body: upload.body,
    signal,
  };
  const message = await transport.send(spec);
  const result = await transport.readJson(message, writeResultSchema, spec);
  checkDigest(header(message, 'repr-digest'), upload.digest, target.path);
  if (result.bytes !== upload.digest.bytes) {
    throw new SandportError(
      `The daemon wrote ${result.bytes} bytes of ${target.path}, but ${upload.digest.bytes} were sent.`,
      { code: 'incomplete_body', retryable: true, details: { path: target.path } },
    );
  }
  return result;
}

/** The body of one write, and the digest of what has been sent of it. */
class Upload {
  digest = new Digest();
  readonly body: RequestBody;
  readonly headers: Readonly<Record<string, string>>;

  constructor(source: ContentSource, progress: (bytes: number) => void) {
    if (source.kind === 'bytes' && source.bytes.byteLength <= onePieceBytes) {
      this.digest.update(source.bytes);
      this.body = source;
      this.headers = { 'repr-digest': this.digest.field };
      progress(source.bytes.byteLength);
      return;
    }
    const open = () => (source.kind === 'bytes' ? slices(source.bytes, sliceBytes) : source.open());
    this.headers = { trailer: 'Repr-Digest' };
    this.body = {
      kind: 'stream',
      open: () => {
        // A second attempt begins from nothing.
        this.digest = new Digest();
        return open();
      },
      replayable: source.kind === 'bytes' || source.replayable,
      onChunk: (chunk) => {
        this.digest.update(chunk);
        progress(this.digest.bytes);
      },
      trailers: () => ({ 'Repr-Digest': this.digest.field }),
    };
  }
}
