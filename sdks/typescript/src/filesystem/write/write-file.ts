import { writeResultSchema } from '@sandport/protocol';
import { SandportError } from '../../errors/sandport-error.ts';
import { header } from '../../http/answer-body.ts';
import type { RequestSpec } from '../../http/request.ts';
import type { Transport } from '../../http/transport.ts';
import type { ContentSource } from './content.ts';
import { DigestedBody } from './digested-body.ts';
import { checkDigest } from '../digest.ts';
import { wokeOf } from '../../http/woke.ts';
import { modeText } from '../files-api.ts';
import type { FileTarget } from '../read/read-file.ts';
import { timeText } from '../file-time.ts';
import type { WriteInPlaceOptions, WriteResult } from './write-options.ts';

/**
 * Puts content to a file of a sandbox. The digest goes with the bytes, so that the daemon replaces
 * the old file only with what was sent; its answer is checked against it once more.
 */
export async function writeFile(
  transport: Transport,
  target: FileTarget,
  source: ContentSource,
  options: WriteInPlaceOptions,
): Promise<WriteResult> {
  const { signal, onProgress } = options;
  const total = source.kind === 'bytes' ? source.bytes.byteLength : source.sizeBytes;
  const upload = new DigestedBody(source, (bytes) => onProgress?.({ bytes, totalBytes: total }));
  const spec: RequestSpec = {
    method: 'PUT',
    path: target.fsPath,
    query: { path: target.path, ...writeQuery(options) },
    headers: {
      'content-type': 'application/octet-stream',
      ...conditions(options),
      ...upload.headers,
    },
    body: upload.body,
    // A second append would add the bytes twice; a second "only where nothing is" would refuse its own file.
    repeatable:
      options.append === true || options.ifMatch !== undefined || options.ifNoneMatch !== undefined
        ? false
        : undefined,
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
  const woke = wokeOf(message);
  return woke === undefined ? result : { ...result, woke };
}

function writeQuery(options: WriteInPlaceOptions) {
  const { mode, owner, mtime, append, offset, sync, createParents } = options;
  return {
    mode: modeText(mode),
    uid: owner?.uid,
    gid: owner?.gid,
    mtime: mtime === undefined ? undefined : timeText(mtime),
    append: append === true ? true : undefined,
    offset,
    sync: sync === true ? true : undefined,
    create_parents: createParents === false ? false : undefined,
  };
}

const conditions = ({ ifMatch, ifNoneMatch }: WriteInPlaceOptions) => ({
  ...(ifMatch !== undefined && { 'if-match': ifMatch }),
  ...(ifNoneMatch !== undefined && { 'if-none-match': ifNoneMatch }),
});
