import { createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fingerprintOf } from '@sandport/engine';

const keyName = 'host_ed25519';
const type = 'ssh-ed25519';

/** Such a file is far smaller. */
const maxFileBytes = 16 * 1024;

/** The file of the host key cannot be used. The message names the file and the way out. */
export class HostKeyError extends Error {
  override name = 'HostKeyError';
}

/** What the server proves to clients that it is itself with. */
export interface HostKey {
  /** In OpenSSH's own format, not encrypted. */
  readonly privateKey: string;
  /** As in `known_hosts`: `ssh-ed25519 AAAA…`. */
  readonly publicKey: string;
  /** As `ssh-keygen -l` shows it: `SHA256:…`. */
  readonly fingerprint: string;
}

/**
 * The host key in `directory`, made at the first start. The file appears whole or not at all,
 * however the daemon ends; only its owner can read it.
 * @throws HostKeyError when the file is damaged, or open to other users
 */
export async function openHostKey(directory: string): Promise<HostKey> {
  const file = join(directory, keyName);
  return (await load(file)) ?? make(file);
}

async function load(file: string): Promise<HostKey | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new HostKeyError(`The SSH host key ${file} cannot be read: ${String(error)}.`);
  }
  try {
    const { mode, size } = await handle.stat();
    if ((mode & 0o077) !== 0)
      throw new HostKeyError(
        `Others than its owner can read the SSH host key ${file}: chmod 600 ${file}, or remove it to get a new one.`,
      );
    if (size > maxFileBytes) throw damaged(file);
    return describe(await handle.readFile('utf8'), file);
  } finally {
    await handle.close();
  }
}

async function make(file: string): Promise<HostKey> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  const unfinished = `${file}.${randomBytes(4).toString('hex')}.tmp`;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  try {
    const handle = await open(unfinished, 'wx', 0o600);
    try {
      await handle.writeFile(pem);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(unfinished, file);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
  return describe(pem, file);
}

function describe(pem: string, file: string): HostKey {
  try {
    return encodeHostKey(pem);
  } catch {
    throw damaged(file);
  }
}

const damaged = (file: string) =>
  new HostKeyError(
    `The SSH host key ${file} is damaged: put the right file back, or remove it to get a new one, which clients then ask about.`,
  );

/**
 * An Ed25519 key of PKCS #8 as OpenSSH has it (PROTOCOL.key of OpenSSH).
 * @throws Error for any other key
 */
export function encodeHostKey(pem: string): HostKey {
  const { d, x, crv } = createPrivateKey(pem).export({ format: 'jwk' });
  if (crv !== 'Ed25519' || d === undefined || x === undefined) throw new Error('not Ed25519');
  const secret = Buffer.from(d, 'base64url');
  const point = Buffer.from(x, 'base64url');
  const blob = Buffer.concat([text(type), text(point)]);
  const check = randomBytes(4);
  const section = Buffer.concat([
    check,
    check,
    text(type),
    text(point),
    text(Buffer.concat([secret, point])),
    text('sandport'),
  ]);
  const padding = Buffer.from(Array.from({ length: -section.length & 7 }, (_, index) => index + 1));
  const key = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    text('none'),
    text('none'),
    text(''),
    Buffer.from([0, 0, 0, 1]),
    text(blob),
    text(Buffer.concat([section, padding])),
  ]);
  const lines = key.toString('base64').match(/.{1,70}/g) ?? [];
  const frame = (word: string) => `-----${word} OPENSSH PRIVATE KEY-----`;
  return {
    privateKey: [frame('BEGIN'), ...lines, frame('END'), ''].join('\n'),
    publicKey: `${type} ${blob.toString('base64')}`,
    fingerprint: fingerprintOf(blob),
  };
}

/** A string of the protocol: its length, then its bytes. */
function text(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
