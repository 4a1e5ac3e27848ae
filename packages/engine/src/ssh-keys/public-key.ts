import { createHash } from 'node:crypto';
import { SandportFault } from '@sandport/protocol';

/** A public key, out of one line of text. */
export interface PublicKey {
  /** As `ssh-ed25519`. */
  readonly type: string;
  /** As it goes over the wire (RFC 4253, 6.6). */
  readonly blob: Buffer;
  readonly comment: string;
}

const rsaType = 'ssh-rsa';
const minRsaBytes = 2048 / 8;

const types: ReadonlySet<string> = new Set([
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  rsaType,
]);

/**
 * Reads a line as in `id_ed25519.pub`.
 * @throws SandportFault `invalid_request`
 */
export function parsePublicKey(line: string): PublicKey {
  const [, type = '', encoded = '', comment = ''] =
    /^\s*([a-z0-9@.-]+)[ \t]+([A-Za-z0-9+/]+={0,2})(?:[ \t]+([^\r\n]*))?\s*$/.exec(line) ?? [];
  if (type === '') {
    throw refused('is not a public key of SSH; send the line in a file like ~/.ssh/id_ed25519.pub');
  }
  if (!types.has(type)) throw refused(`is of the type ${type}; ${[...types].join(', ')} are taken`);
  const blob = Buffer.from(encoded, 'base64');
  const parts = split(blob);
  if (parts === undefined || parts.length < 2 || parts[0]?.toString('latin1') !== type)
    throw refused('is damaged: its type is not that of the key in it');
  // The modulus, with a zero before it when its first bit is set.
  if (type === rsaType && (parts[2]?.length ?? 0) < minRsaBytes)
    throw refused('is an RSA key of less than 2048 bits; make a longer one, or an Ed25519 key');
  return { type, blob, comment: comment.trim().slice(0, 128) };
}

/** As `ssh-keygen -l` shows it. */
export const fingerprintOf = (blob: Buffer): string =>
  `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;

/** The strings of which a blob is made; undefined when there is more or less in it. */
function split(blob: Buffer): Buffer[] | undefined {
  const parts: Buffer[] = [];
  for (let at = 0; at < blob.length; ) {
    if (blob.length - at < 4) return undefined;
    const end = at + 4 + blob.readUInt32BE(at);
    if (end > blob.length) return undefined;
    parts.push(blob.subarray(at + 4, end));
    at = end;
  }
  return parts;
}

const refused = (why: string) =>
  new SandportFault('invalid_request', `The text ${why}.`, { field: 'public_key' });
