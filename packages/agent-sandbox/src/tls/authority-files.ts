import { createPrivateKey, type KeyObject, randomBytes, X509Certificate } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type CertificatePair, makeAuthority } from './make-certificates.ts';

const keyName = 'ca.key';
const certificateName = 'ca.crt';

const lifetimeMs = 10 * 365 * 86_400_000;
/** How far the clocks of clients may be behind, in milliseconds. */
export const clockSkewMs = 3_600_000;

/** Nothing in these files comes near it. */
const maxFileBytes = 64 * 1024;

/** The files of the authority cannot be used. The message names the file and the way out. */
export class AuthorityFileError extends Error {
  override name = 'AuthorityFileError';
}

/** The certificate authority of a daemon: what its clients trust. */
export interface Authority {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
  /** For clients. */
  readonly pem: string;
}

/**
 * Opens the authority whose files are in `directory`, made together with it when there is no such
 * directory. The directory appears with both files in it or not at all, however the daemon ends.
 * @throws AuthorityFileError when a file is missing, damaged, expired, or open to other users
 */
export async function openAuthority(directory: string, now = new Date()): Promise<Authority> {
  await removeUnfinished(directory);
  if (await isMissingOrEmpty(directory)) await make(directory, now);
  return load(directory, now);
}

async function make(directory: string, now: Date): Promise<void> {
  const pair = await makeAuthority({
    notBefore: new Date(now.getTime() - clockSkewMs),
    notAfter: new Date(now.getTime() + lifetimeMs),
  });
  const unfinished = `${directory}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await mkdir(unfinished, { mode: 0o700 });
    await writePair(unfinished, pair);
    await rename(unfinished, directory);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
  await syncDirectory(dirname(directory));
}

async function writePair(directory: string, { certificate, key }: CertificatePair): Promise<void> {
  for (const [name, text, mode] of [
    [keyName, key, 0o600],
    [certificateName, certificate, 0o644],
  ] as const) {
    await using file = await open(join(directory, name), 'wx', mode);
    await file.writeFile(text);
    await file.sync();
  }
  await syncDirectory(directory);
}

async function syncDirectory(directory: string): Promise<void> {
  await using handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  await handle.sync();
}

/** What a daemon that was killed while it made the directory left beside it. */
async function removeUnfinished(directory: string): Promise<void> {
  const parent = dirname(directory);
  const prefix = `${basename(directory)}.`;
  for (const name of await readdir(parent))
    if (name.startsWith(prefix) && name.endsWith('.tmp'))
      await rm(join(parent, name), { recursive: true, force: true });
}

async function isMissingOrEmpty(directory: string): Promise<boolean> {
  try {
    return (await readdir(directory)).length === 0;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return true;
    throw new AuthorityFileError(`${directory} cannot be read: ${String(error)}.`);
  }
}

async function load(directory: string, now: Date): Promise<Authority> {
  const keyFile = join(directory, keyName);
  const certificateFile = join(directory, certificateName);
  const refuse = (file: string, why: string) =>
    new AuthorityFileError(
      `${file} ${why}. Put the right file back; or remove the directory ${directory}, so that the next start makes a new authority: then every kubeconfig has to be made again.`,
    );
  const keyText = await readSmall(keyFile, refuse, (mode) => (mode & 0o077) === 0);
  const pem = await readSmall(certificateFile, refuse);
  const key = parse(() => createPrivateKey(keyText));
  if (key === undefined) throw refuse(keyFile, 'does not hold a private key');
  const certificate = parse(() => new X509Certificate(pem));
  if (certificate === undefined) throw refuse(certificateFile, 'does not hold a certificate');
  if (!certificate.ca || !certificate.checkPrivateKey(key))
    throw refuse(certificateFile, `is not the certificate of an authority with the key ${keyFile}`);
  if (now.getTime() > Date.parse(certificate.validTo))
    throw refuse(certificateFile, `expired on ${certificate.validTo}`);
  if (now.getTime() < Date.parse(certificate.validFrom))
    throw refuse(
      certificateFile,
      `is valid from ${certificate.validFrom} only; is the clock of this machine right`,
    );
  return { certificate, key, pem: certificate.toString() };
}

type Refuse = (file: string, why: string) => AuthorityFileError;

async function readSmall(
  file: string,
  refuse: Refuse,
  allows: (mode: number) => boolean = () => true,
): Promise<string> {
  let handle: FileHandle;
  try {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    handle = await open(file, flags);
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw refuse(file, missing ? 'is missing' : `cannot be opened (${String(error)})`);
  }
  await using opened = handle;
  const { mode, size } = await opened.stat();
  if (!allows(mode))
    throw new AuthorityFileError(
      `${file} can be read by other users (mode ${(mode & 0o777).toString(8)}). If nobody has it, run: chmod 600 ${file}`,
    );
  if (size > maxFileBytes) throw refuse(file, `is larger than ${maxFileBytes} bytes`);
  return opened.readFile('utf8');
}

function parse<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
