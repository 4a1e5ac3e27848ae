import { join } from 'node:path';
import { hostname, userInfo } from 'node:os';
import type { Client, SshObject } from 'sandport';
import { readText, sshDirectory, writeText } from './files.ts';
import { runProgram } from './run-program.ts';

/** How the programs of OpenSSH reach a daemon. */
export interface SshAccess {
  readonly host: string;
  readonly port: number;
  /** Options of ssh_config, by name. */
  readonly options: Readonly<Record<string, string>>;
}

/**
 * Sees to it that this user can log in: a key of this program, which the daemon knows, and the
 * daemon's host key, which is told by its API and pinned.
 */
export async function sshAccess(client: Client, signal: AbortSignal): Promise<SshAccess> {
  const found = await client.ssh({ signal });
  const directory = await sshDirectory();
  const identity = await registeredIdentity(client, directory, signal);
  const knownHosts = join(directory, 'known_hosts');
  const alias = await pinHostKey(knownHosts, found);
  return {
    host: found.host,
    port: found.port,
    options: {
      IdentityFile: identity,
      IdentitiesOnly: 'yes',
      UserKnownHostsFile: knownHosts,
      GlobalKnownHostsFile: '/dev/null',
      HostKeyAlias: alias,
      StrictHostKeyChecking: 'yes',
      UpdateHostKeys: 'no',
    },
  };
}

/** The file of the key of this program; made the first time. */
async function registeredIdentity(
  client: Client,
  directory: string,
  signal: AbortSignal,
): Promise<string> {
  const file = join(directory, 'id_ed25519');
  if ((await readText(`${file}.pub`)) === '') {
    const comment = `sandport ${userInfo().username}@${hostname()}`;
    const code = await runProgram('ssh-keygen', [
      ...['-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', file],
    ]);
    if (code !== 0) throw new Error(`ssh-keygen could not make the key ${file}; see above.`);
  }
  await client.sshKeys.create(await readText(`${file}.pub`), { signal });
  return file;
}

/** @returns the name under which the key stands in the file, the same for the same key */
async function pinHostKey(file: string, { host_key, fingerprint }: SshObject): Promise<string> {
  const alias = `sandport-${fingerprint.replace(/^SHA256:/, '').replaceAll(/[^A-Za-z0-9]/g, '')}`;
  const line = `${alias} ${host_key}`;
  const text = await readText(file);
  if (!text.split('\n').includes(line)) await writeText(file, `${text}${line}\n`);
  return alias;
}
