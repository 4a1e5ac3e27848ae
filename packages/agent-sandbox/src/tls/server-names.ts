import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';

/** Names by which clients inside a cluster know its API. */
const clusterNames = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc'];

const wildcards = new Set(['0.0.0.0', '::']);

/** What a certificate can hold as a name: letters, digits, hyphens and dots. */
const dnsName =
  /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i;

/** True for a host name or an address that a certificate can be for. */
export const isServerName = (name: string): boolean => isIP(name) !== 0 || dnsName.test(name);

/**
 * Names and addresses that a server is reached by which listens on `host`: those of this machine
 * that never change, `host` itself or, when it listens everywhere, all addresses of the machine,
 * and `more`.
 */
export function serverNames(host: string, more: readonly string[] = []): string[] {
  const listening = wildcards.has(host)
    ? Object.values(networkInterfaces()).flatMap((each = []) => each.map(({ address }) => address))
    : [host];
  const names = [
    'localhost',
    hostname(),
    '127.0.0.1',
    '::1',
    ...listening,
    ...clusterNames,
    ...more,
  ];
  return [...new Set(names.map((name) => name.toLowerCase()))].filter(isServerName);
}
