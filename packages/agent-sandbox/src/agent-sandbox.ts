import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Engine } from '@sandport/engine';
import type { ObjectTable } from '@sandport/kube-api';
import type { Mount } from '@sandport/server';
import type { Logger } from 'pino';
import { type RequestHandler, SecureListener } from './listener/secure-listener.ts';
import { type Router, routerMount } from './router-mount.ts';
import { openAuthority } from './tls/authority-files.ts';
import { serverNames } from './tls/server-names.ts';
import { ServingCertificate } from './tls/serving-certificate.ts';

export interface AgentSandboxOptions {
  readonly engine: Engine;
  /** Keeps the objects. */
  readonly table: ObjectTable;
  readonly logger: Logger;
  /** Where the certificate authority lies: in the directory `kubernetes` there. */
  readonly dataDir: string;
  /** Release of the daemon. */
  readonly release: string;
  /** Host that clients of Kubernetes are listened for on. */
  readonly host: string;
  /** More host names and addresses that they reach it by. @default [] */
  readonly names?: readonly string[];
}

/** The dialect of kubernetes-sigs/agent-sandbox: its resources, its router, its runtimes. */
export interface AgentSandbox extends AsyncDisposable {
  /** PEM, for clients. */
  readonly certificateAuthority: string;
  /** Host names and addresses that the certificate is for. */
  readonly names: ReadonlySet<string>;
  /** The router, for the daemon's own API. */
  readonly router: Mount;
  /** Where the router listens on port 80 without a key; undefined without a pod network. */
  readonly gatewayAddress: string | undefined;
  /**
   * Listens for clients of Kubernetes.
   * @throws Error with code EADDRINUSE and the like
   */
  listen(port: number): Promise<AddressInfo>;
  /** Ends watches and tunnels, waits for what is under way, and cuts what is left after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/**
 * Puts the dialect together and starts it, upon an engine that has recovered.
 * @throws AuthorityFileError when the certificate authority cannot be used
 */
export async function startAgentSandbox(options: AgentSandboxOptions): Promise<AgentSandbox> {
  const { engine, logger, dataDir, host } = options;
  const authority = await openAuthority(join(dataDir, 'kubernetes'));
  const names = serverNames(host, options.names);
  let listener: SecureListener | undefined;
  const { serving, pair } = await ServingCertificate.start({
    authority,
    names,
    renewed: (renewed) => listener?.useCertificate(renewed),
    failed: (error) => logger.error({ err: error }, 'the certificate could not be renewed'),
  });
  const handler: RequestHandler = {
    handle: async (_request, response) => {
      response.writeHead(503).end();
    },
    handleUpgrade: (_request, socket) => {
      socket.destroy();
    },
  };
  const router: Router = {
    handle: async (_request, response) => {
      response.writeHead(503).end();
    },
    upgrade: async (_request, socket) => {
      socket.destroy();
    },
  };
  listener = new SecureListener({
    handler,
    certificate: pair,
    log: (message, fields) => logger.error(fields, message),
  });
  return {
    certificateAuthority: authority.pem,
    names: new Set(names),
    router: routerMount(engine.keys, router),
    gatewayAddress: undefined,
    listen: (port) => listener.listen(host, port),
    close: (graceMs) => listener.close(graceMs),
    [Symbol.asyncDispose]: async () => {
      serving[Symbol.dispose]();
    },
  };
}
