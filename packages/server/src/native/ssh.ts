import type { Engine } from '@sandport/engine';
import { createSshKeySchema, SandportFault } from '@sandport/protocol';
import { readJson } from '../http/read-json.ts';
import type { Route } from '../http/router.ts';

/** How clients of SSH reach the daemon. */
export interface SshAccess {
  /** As in `known_hosts`: type and key. */
  readonly hostKey: string;
  /** As `SHA256:…`. */
  readonly fingerprint: string;
  /**
   * Where it is for a client that reached the API by this value of `Host`; undefined: it is not
   * listened for.
   */
  address(host: string | undefined): { host: string; port: number } | undefined;
}

/** SSH: where it is, and who may log in. */
export const sshRoutes = (engine: Engine, { ssh }: { ssh?: SshAccess | undefined }): Route[] => [
  {
    method: 'GET',
    path: '/v1/ssh',
    handle: (exchange) => {
      const address = ssh?.address(exchange.request.headers.host);
      if (ssh === undefined || address === undefined)
        throw new SandportFault('ssh_off', 'This daemon does not listen for clients of SSH.');
      const { hostKey: host_key, fingerprint } = ssh;
      exchange.json(200, { ...address, host_key, fingerprint });
    },
  },
  {
    method: 'GET',
    path: '/v1/ssh-keys',
    handle: (exchange) => exchange.json(200, engine.sshKeys.list(exchange.principal)),
  },
  {
    method: 'POST',
    path: '/v1/ssh-keys',
    handle: async (exchange) => {
      const request = await readJson(exchange, createSshKeySchema);
      exchange.json(201, engine.sshKeys.add(exchange.principal, request));
    },
  },
  {
    method: 'DELETE',
    path: '/v1/ssh-keys/:id',
    handle: (exchange) => {
      engine.sshKeys.remove(exchange.principal, exchange.param('id'));
      exchange.empty();
    },
  },
];
