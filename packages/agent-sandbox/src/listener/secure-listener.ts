import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { connectionOptions, Listener } from '@sandport/server';
import type { CertificatePair } from '../tls/make-certificates.ts';
import { answerBrokenRequest } from './broken-request.ts';

/** What answers requests. */
export interface RequestHandler {
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Never rejects. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>;
}

/** How long a client may take to agree on keys, in milliseconds. */
const handshakeTimeoutMs = 10_000;

export interface SecureListenerOptions {
  readonly handler: RequestHandler;
  readonly certificate: CertificatePair;
  readonly log: (message: string, fields: Record<string, unknown>) => void;
}

/** An HTTPS server: HTTP/1.1 upon TLS 1.2 and later. */
export class SecureListener {
  readonly #server: Server;
  readonly #listener: Listener;
  readonly #upgraded = new Set<Duplex>();

  constructor({ handler, certificate, log }: SecureListenerOptions) {
    const serve = (request: IncomingMessage, response: ServerResponse) => {
      handler.handle(request, response).catch((error: unknown) => {
        log('a request of a Kubernetes client failed', { err: error });
        response.destroy();
      });
    };
    this.#server = createServer(
      {
        ...connectionOptions,
        ...contextOf(certificate),
        handshakeTimeout: handshakeTimeoutMs,
        ALPNProtocols: ['http/1.1'],
      },
      serve,
    );
    this.#listener = new Listener(this.#server);
    this.#server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      response.writeContinue();
      serve(request, response);
    });
    this.#server.on('clientError', answerBrokenRequest);
    this.#server.on('tlsClientError', (_error, socket) => socket.destroy());
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      // Whoever is at the other end may leave at any time.
      socket.on('error', () => socket.destroy());
      this.#upgraded.add(socket);
      socket.once('close', () => this.#upgraded.delete(socket));
      void handler.handleUpgrade(request, socket, head);
    });
  }

  /** @throws Error with code EADDRINUSE and the like */
  listen(host: string, port: number): Promise<AddressInfo> {
    return this.#listener.listen(host, port);
  }

  /** Shows another certificate to new connections; those that are there go on. */
  useCertificate(pair: CertificatePair): void {
    this.#server.setSecureContext(contextOf(pair));
  }

  /** Stops accepting, waits for what is under way, and cuts what is left after `graceMs`. */
  close(graceMs: number): Promise<void> {
    for (const socket of this.#upgraded) socket.destroy();
    return this.#listener.close(graceMs);
  }
}

const contextOf = ({ certificate, key }: CertificatePair) => ({
  cert: certificate,
  key,
  minVersion: 'TLSv1.2' as const,
});
