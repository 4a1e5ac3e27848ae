import { join } from 'node:path';
import type { Engine } from '@sandport/engine';
import type { SshAccess } from '@sandport/server';
import { HostKeyError, openHostKey, SshListener } from '@sandport/ssh';
import type { Logger } from 'pino';
import { ConfigError } from './config/config-error.ts';
import type { HostPort } from './config/host-port.ts';
import type { DaemonConfig } from './config/resolve.ts';
import type { SshSettings } from './config/ssh-settings.ts';
import { AddressTakenError, hostNameOf, listenOn, reachableHost } from './listen.ts';

export interface StartSshOptions {
  readonly engine: Engine;
  readonly logger: Logger;
}

/**
 * Makes what serves SSH, without listening; undefined when it is off.
 * @throws ConfigError when its host key cannot be used
 */
export async function startSsh(
  { ssh, dataDir }: DaemonConfig,
  options: StartSshOptions,
): Promise<SshListener | undefined> {
  if (ssh === undefined) return undefined;
  try {
    const hostKey = await openHostKey(join(dataDir, 'ssh'));
    return new SshListener({ ...options, hostKey });
  } catch (error) {
    throw error instanceof HostKeyError ? new ConfigError(error.message) : error;
  }
}

/**
 * Listens for clients of SSH. An address that nobody asked for may be taken: then the daemon serves
 * without it.
 * @returns the port; undefined when the address is taken
 * @throws ConfigError when the address that was asked for cannot be listened on
 */
export async function listenForSsh(
  listener: SshListener,
  settings: SshSettings,
  warn: (sentence: string) => void,
): Promise<number | undefined> {
  try {
    return await listenOn(settings, (host, port) => listener.listen(host, port), '--ssh-listen');
  } catch (error) {
    if (settings.asked || !(error instanceof AddressTakenError)) throw error;
    warn(`Clients of SSH are not served. ${error.message}`);
    return undefined;
  }
}

/** Tells clients where SSH is. @param opened where it listens; undefined while it does not */
export const sshAccess = (
  { hostKey }: SshListener,
  opened: () => HostPort | undefined,
): SshAccess => ({
  hostKey: hostKey.publicKey,
  fingerprint: hostKey.fingerprint,
  address: (hostField) => {
    const at = opened();
    return at && { host: reachableHost(at.host, hostNameOf(hostField)), port: at.port };
  },
});
