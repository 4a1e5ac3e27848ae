import type { WriteFileOptions } from '@sandport/driver';
import {
  type GuestPath,
  parseGuestPath,
  SandportFault,
  uploadMetadataSchema,
} from '@sandport/protocol';
import { preconditionOf } from '../files/precondition.ts';
import { timeNsOf } from '../files/time-text.ts';

/** What a client says of a file that it uploads in several requests. */
export interface UploadMetadata {
  readonly path: GuestPath;
  /** SHA-256 of the whole file. */
  readonly sha256: Buffer | undefined;
  readonly write: Pick<WriteFileOptions, 'mode' | 'mtimeNs' | 'precondition'>;
}

/**
 * Reads the metadata of an upload.
 * @throws SandportFault `invalid_request` naming the key, `invalid_path`
 */
export function parseUploadMetadata(
  metadata: Readonly<Record<string, string | null>>,
): UploadMetadata {
  const given = Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== null));
  const result = uploadMetadataSchema.safeParse(given);
  if (!result.success) {
    const [issue] = result.error.issues;
    const field = issue?.path.join('.') ?? '';
    const why = given[field] === undefined ? 'is missing' : issue?.message;
    throw new SandportFault('invalid_request', `Upload-Metadata: \`${field}\` ${why}.`, { field });
  }
  const { path, mode, mtime, sha256, if_match: ifMatch, if_none_match: ifNoneMatch } = result.data;
  const precondition = preconditionOf({ ifMatch, ifNoneMatch });
  return {
    path: parseGuestPath(path),
    sha256: sha256 === undefined ? undefined : Buffer.from(sha256, 'hex'),
    write: {
      ...(mode === undefined ? {} : { mode: Number.parseInt(mode, 8) }),
      ...(mtime === undefined ? {} : { mtimeNs: timeNsOf(mtime) }),
      ...(precondition === undefined ? {} : { precondition }),
    },
  };
}
