import { createHash, type Hash } from 'node:crypto';
import { DigestMismatchError } from '../errors/api-errors.ts';

/** SHA-256 of bytes that pass by, in the form of RFC 9530. */
export class Digest {
  readonly #hash: Hash = createHash('sha256');
  #value: string | undefined;
  bytes = 0;

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.bytes += chunk.byteLength;
  }

  /** Base64; no update may follow. */
  get value(): string {
    this.#value ??= this.#hash.digest('base64');
    return this.#value;
  }

  /** Value of the `Repr-Digest` field. */
  get field(): string {
    return `sha-256=:${this.value}:`;
  }
}

/** The SHA-256 in a `Repr-Digest` field, in base64; undefined when there is none. */
export function sha256Of(field: string | undefined): string | undefined {
  return /(?:^|[,\s])sha-256=:([A-Za-z0-9+/]{43}=):/.exec(field ?? '')?.[1];
}

/**
 * Compares the digest that the daemon names with that of the bytes that passed here. An answer
 * without a digest passes: a proxy may drop trailers, and the length is checked without it.
 * @throws DigestMismatchError
 */
export function checkDigest(field: string | undefined, digest: Digest, path: string): void {
  const expected = sha256Of(field);
  if (expected === undefined || expected === digest.value) return;
  throw new DigestMismatchError(
    `The bytes of ${path} were changed on their way: the daemon has SHA-256 ${expected}, this side ${digest.value}.`,
    {
      code: 'digest_mismatch',
      retryable: true,
      details: { path, expected, received: digest.value },
    },
  );
}
