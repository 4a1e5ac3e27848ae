import type { AddressInfo } from 'node:net';
import { ConfigError } from './config/config-error.ts';
import { type HostPort, shownHost } from './config/host-port.ts';

const loopback = new Map([
  ['0.0.0.0', '127.0.0.1'],
  ['::', '::1'],
]);

/** A host to reach a listener by: its own, or `named` or the loopback when it listens everywhere. */
export const reachableHost = (host: string, named?: string): string => {
  const local = loopback.get(host);
  return local === undefined ? host : (named ?? local);
};

/** The host in a value of `Host`: `localhost` of `localhost:8420`, `::1` of `[::1]:8420`. */
export const hostNameOf = (hostField: string | undefined): string | undefined =>
  /^(?:\[([0-9a-f:]+)\]|([^:]+))(?::\d+)?$/i
    .exec(hostField ?? '')
    ?.slice(1)
    .find((each) => each !== undefined)
    ?.toLowerCase();

/** Another program listens where the daemon was to. */
export class AddressTakenError extends ConfigError {}

/**
 * Opens a listener.
 * @param flag with which another address is named
 * @returns its port
 * @throws ConfigError with a sentence for people
 */
export async function listenOn(
  { host, port }: HostPort,
  open: (host: string, port: number) => Promise<AddressInfo>,
  flag: string,
): Promise<number> {
  try {
    return (await open(host, port)).port;
  } catch (error) {
    const where = `Cannot listen on ${shownHost(host)}:${port}`;
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')
      throw new AddressTakenError(
        `${where}: another program listens there; stop it, or name another with ${flag}.`,
      );
    throw new ConfigError(`${where}: ${String(error)}.`);
  }
}
