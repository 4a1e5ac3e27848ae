import { createHash, type Hash } from 'node:crypto';
import { SandportFault } from '@sandport/protocol';

/** Digest fields of RFC 9530, SHA-256 only: `Repr-Digest: sha-256=:BASE64:`. */
export const formatDigest = (sha256: Buffer): string => `sha-256=:${sha256.toString('base64')}:`;

/**
 * The SHA-256 in a `Repr-Digest` or `Content-Digest` field; undefined when it names none.
 * @throws SandportFault `invalid_request` when it is there but is not one.
 */
export function parseDigest(field: string | string[] | undefined): Buffer | undefined {
  if (field === undefined) return undefined;
  const text = Array.isArray(field) ? field.join(', ') : field;
  const match = /(?:^|,)\s*sha-256\s*=\s*:([^:]*):/i.exec(text);
  if (match === null) return undefined;
  const digest = Buffer.from(match[1] ?? '', 'base64');
  if (digest.length !== 32)
    throw new SandportFault(
      'invalid_request',
      'The digest must look like sha-256=:BASE64: with 32 bytes.',
      { field: 'Repr-Digest' },
    );
  return digest;
}

/** True when `Want-Repr-Digest` asks for SHA-256 (a weight of 0 means no). */
export const wantsDigest = (field: string | string[] | undefined): boolean =>
  /(?:^|,)\s*sha-256\s*=\s*([1-9]|10)\b/i.test(String(field ?? ''));

export const newSha256 = (): Hash => createHash('sha256');
