import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Documents, discoveryDocuments } from '../discovery/discovery.ts';
import { KubeError } from '../objects/kube-error.ts';
import { openApiDocuments } from '../openapi/openapi.ts';
import { answerReview, isReview } from './access/reviews.ts';
import { sendAnswer, sendDocument, sendError, sendText } from './answers/send.ts';
import type { ApiServerOptions } from './api-server-options.ts';
import type { Caller } from './caller.ts';
import { refuseUpgrade } from './answers/refuse-upgrade.ts';
import type { ApiContext, Exchange } from './requests/exchange.ts';
import { readObject } from './requests/read-body.ts';
import { noSuchPath, ResourceIndex } from './requests/resource-index.ts';
import {
  checkPodStream,
  isPodStream,
  servePodStream,
  upgradeRequired,
} from './serve-pod-stream.ts';
import { notAllowed, serveResource } from './serve-resource.ts';
import { StreamQuota } from './access/stream-quota.ts';
import { whenRevoked } from './access/when-revoked.ts';
import { versionOf } from './version.ts';
import { WatchHub } from './watch/watch-hub.ts';

const openPaths = new Set(['/healthz', '/livez', '/readyz']);

/** Answers the requests of Kubernetes clients. Who listens for them is somebody else's matter. */
export class ApiServer {
  readonly #options: ApiServerOptions;
  readonly #context: ApiContext;
  readonly #index: ResourceIndex;
  readonly #documents: readonly Documents[];
  readonly #version: Readonly<Record<string, unknown>>;
  readonly #streams = new StreamQuota();
  readonly #closing = new AbortController();

  constructor(options: ApiServerOptions) {
    const { store, resources, sharedNamespace, release, log } = options;
    this.#options = options;
    this.#context = {
      store,
      hub: new WatchHub(store),
      sharedNamespace,
      isKnown: (request) => options.authenticate(request) !== undefined,
      log,
    };
    this.#index = new ResourceIndex(resources);
    this.#documents = [discoveryDocuments(resources), openApiDocuments(resources)];
    this.#version = versionOf(release);
  }

  /** Answers a request. Never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#handle(request, response);
    } catch (error) {
      const isGone = request.socket.destroyed || response.destroyed;
      if (!isGone) await sendError(request, response, this.#known(error, request));
    }
  }

  /**
   * Serves a request to stream to a pod, from the `upgrade` event of a server. Never rejects;
   * resolves when the socket is done with.
   */
  async handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy());
    try {
      const { pods } = this.#options;
      const { path, query } = splitUrl(request);
      const caller = this.#caller(request);
      const target = this.#index.find(path);
      if (!isPodStream(target)) throw noSuchPath();
      checkPodStream(this.#context, caller, target);
      if (this.#closing.signal.aborted) {
        throw new KubeError('ServiceUnavailable', 'the server is stopping');
      }
      const revoked = new AbortController();
      const signal = AbortSignal.any([this.#closing.signal, revoked.signal]);
      using _ = whenRevoked(this.#context, request, () => revoked.abort());
      const stream = { request, query, socket, head, pods, caller, signal };
      await this.#streams.during(caller, () => servePodStream(stream, target));
    } catch (error) {
      refuseUpgrade(socket, this.#known(error, request));
    }
  }

  /** Ends watches and streams. Requests that are being answered are answered. */
  close(): void {
    this.#closing.abort();
    this.#context.hub[Symbol.dispose]();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => response.destroy());
    const { path, query } = splitUrl(request);
    const isGet = request.method === 'GET' || request.method === 'HEAD';
    if (isGet && openPaths.has(path)) return sendText(response, 200, 'ok');
    if (isGet && path === '/version') {
      return sendAnswer(response, { status: 200, body: this.#version });
    }
    const exchange = { request, response, query, caller: this.#caller(request) };
    if (isReview(path)) return this.#review(path, exchange);
    const document = this.#document(path, request);
    if (document !== undefined) {
      if (!isGet) throw notAllowed();
      return sendDocument(request, response, document);
    }
    const target = this.#index.find(path);
    if (isPodStream(target)) {
      checkPodStream(this.#context, exchange.caller, target);
      throw upgradeRequired();
    }
    await serveResource(this.#context, exchange, target);
  }

  #caller(request: IncomingMessage): Caller {
    const caller = this.#options.authenticate(request);
    if (caller === undefined) throw new KubeError('Unauthorized', 'Unauthorized');
    return caller;
  }

  #document(path: string, { headers }: IncomingMessage) {
    for (const find of this.#documents) {
      const document = find(path, headers.accept);
      if (document !== undefined) return document;
    }
    return undefined;
  }

  async #review(path: string, { request, response, caller }: Exchange): Promise<void> {
    if (request.method !== 'POST') throw notAllowed();
    const { resources, sharedNamespace } = this.#options;
    const sent = await readObject(request);
    const body = answerReview(path, sent, { resources, sharedNamespace, caller });
    sendAnswer(response, { status: 201, body });
  }

  #known(error: unknown, { method, url }: IncomingMessage): KubeError {
    if (error instanceof KubeError) return error;
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#options.log('A Kubernetes request failed', {
      method,
      path: url?.split('?', 1)[0],
      reason,
    });
    return new KubeError('InternalError', 'Internal error occurred');
  }
}

/** @throws KubeError `NotFound` for a URL that is no path */
function splitUrl({ url = '' }: IncomingMessage): { path: string; query: URLSearchParams } {
  if (!url.startsWith('/')) throw noSuchPath();
  const mark = url.indexOf('?');
  if (mark === -1) return { path: url, query: new URLSearchParams() };
  return { path: url.slice(0, mark), query: new URLSearchParams(url.slice(mark + 1)) };
}
