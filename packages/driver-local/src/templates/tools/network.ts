import { existsSync } from 'node:fs';
import type { ConfinedPath } from './run-confined.ts';

/** What a program that speaks to registries reads of the machine's configuration. */
const networkFiles = [
  '/etc/resolv.conf',
  '/etc/hosts',
  '/etc/nsswitch.conf',
  '/etc/ssl/certs',
  '/etc/containers',
  '/etc/docker/certs.d',
];

const proxyVariables = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'].flatMap((name) => [
  name,
  name.toLowerCase(),
]);

/** Those of these files that the machine has, for a confined program. */
export const networkPaths = (): ConfinedPath[] =>
  networkFiles.filter((file) => existsSync(file)).map((file) => ({ source: file, target: file }));

/** The proxies that the daemon was started with. */
export const proxyEnv = (): Record<string, string | undefined> =>
  Object.fromEntries(proxyVariables.map((name) => [name, process.env[name]]));
