import { createHash, type Hash } from 'node:crypto';
import { SandportFault } from '@sandport/protocol';
import { TusFault } from './tus-fault.ts';

/** Algorithms of `Upload-Checksum`; what `Tus-Checksum-Algorithm` tells. */
export const checksumAlgorithms: readonly string[] = ['sha1', 'sha256'];

/** What tus answers when the bytes of a request do not have their checksum. */
const checksumMismatch = 460;

/** The checksum of one request's bytes. */
export class UploadChecksum {
  readonly #expected: Buffer;
  readonly #hash: Hash;

  constructor(algorithm: string, expected: Buffer) {
    this.#hash = createHash(algorithm);
    this.#expected = expected;
  }

  update(chunk: Buffer): void {
    this.#hash.update(chunk);
  }

  /** @throws TusFault of status 460 */
  verify(): void {
    const received = this.#hash.digest();
    if (received.equals(this.#expected)) return;
    throw new TusFault(
      checksumMismatch,
      'digest_mismatch',
      'The bytes of this request do not have their checksum; none of them was kept.',
      { expected: this.#expected.toString('base64'), received: received.toString('base64') },
    );
  }
}

/** Reads `Upload-Checksum: ALGORITHM BASE64`. @throws SandportFault `invalid_request` */
export function parseUploadChecksum(
  field: string | string[] | undefined,
): UploadChecksum | undefined {
  if (field === undefined) return undefined;
  const [algorithm = '', base64 = ''] = String(field).trim().split(' ');
  const expected = Buffer.from(base64, 'base64');
  const isKnown = checksumAlgorithms.includes(algorithm);
  if (isKnown && expected.length === (algorithm === 'sha1' ? 20 : 32))
    return new UploadChecksum(algorithm, expected);
  throw new SandportFault(
    'invalid_request',
    `Upload-Checksum must be one of ${checksumAlgorithms.join(', ')}, a space, and the digest in Base64.`,
    { field: 'Upload-Checksum' },
  );
}
