import { Server } from '@tus/server';
import type { Engine } from '@sandport/engine';
import { SandportFault } from '@sandport/protocol';
import type { Exchange } from '../http/exchange.ts';
import { faultOfLibrary, isLibraryError } from './tus-fault.ts';
import { checksumAlgorithms } from './upload-checksum.ts';
import { UploadStore } from './upload-store.ts';

/** The only version of the protocol. */
const version = '1.0.0';

/** Fields that the tus library gets to see; the rest is none of its business. */
const fieldsOfTus = [
  'content-length',
  'content-type',
  'tus-resumable',
  'upload-concat',
  'upload-defer-length',
  'upload-length',
  'upload-metadata',
  'upload-offset',
];

/** Uploads have their own locks, which outlive a request. */
const noLocks = {
  newLock: () => ({ lock: async () => undefined, unlock: async () => undefined }),
};

/**
 * Answers a request of the tus protocol (https://tus.io/protocols/resumable-upload, 1.0.0).
 * @param options.upload id in the request's path, if any
 */
export async function answerTus(
  exchange: Exchange,
  engine: Engine,
  options: { readonly idleTimeoutMs: number; readonly upload?: string },
): Promise<void> {
  const { response } = exchange;
  const method = methodOf(exchange, options.upload);
  response.setHeader('Tus-Resumable', version);
  response.setHeader('Access-Control-Allow-Origin', '*');
  const store = new UploadStore(engine, exchange, options);
  let failure: unknown;
  const server = new Server({
    path: exchange.path,
    datastore: store,
    locker: noLocks,
    relativeLocation: true,
    allowedHeaders: ['Upload-Checksum', 'X-API-Key', 'X-Request-Id'],
    exposedHeaders: ['ETag', 'Upload-Expires', 'X-Request-Id', 'X-Sandport-Woke'],
    namingFunction: () => 'new',
    getFileIdFromRequest: () => options.upload,
    onUploadFinish: async () => ({ headers: { ETag: (await store.held?.finish()) ?? '' } }),
    onResponseError: (_request, error) => {
      failure = error;
      return undefined;
    },
  });
  try {
    const answer = await server.handleWeb(webRequestOf(exchange, method));
    if (failure !== undefined) throw failure;
    if (answer.status >= 400) throw faultOfLibrary(answer.status, await answer.text());
    send(exchange, answer, store);
  } catch (error) {
    if (error instanceof SandportFault && error.status === 412)
      response.setHeader('Tus-Version', version);
    // Its address was never told: nobody could go on with it.
    if (method === 'POST') await store.held?.remove();
    throw isLibraryError(error) ? faultOfLibrary(error.status_code, error.body) : error;
  } finally {
    store.held?.[Symbol.dispose]();
  }
}

/**
 * For clients whose environment knows POST only, `X-HTTP-Method-Override` names the method.
 * @throws SandportFault `method_not_allowed`
 */
function methodOf({ request }: Exchange, upload: string | undefined): string {
  const { method = 'GET' } = request;
  if (method !== 'POST' || upload === undefined) return method;
  const override = String(request.headers['x-http-method-override'] ?? '').toUpperCase();
  const known = ['PATCH', 'DELETE'];
  if (known.includes(override)) return override;
  throw new SandportFault(
    'method_not_allowed',
    `A POST to an upload must name ${known.join(' or ')} in X-HTTP-Method-Override.`,
    { route: '/v1/sandboxes/{id}/uploads/{upload}', known },
  );
}

/** The request without its body. */
function webRequestOf({ request, path }: Exchange, method: string): Request {
  const headers = new Headers();
  for (const name of fieldsOfTus) {
    const value = request.headers[name];
    if (typeof value === 'string') headers.set(name, value);
  }
  return new Request(new URL(path, 'http://localhost'), { method, headers });
}

function send({ request, response }: Exchange, answer: Response, store: UploadStore): void {
  // The library's answers that are not errors have no body.
  for (const [name, value] of answer.headers)
    if (name !== 'content-type') response.setHeader(name, value);
  const row = store.held?.row ?? store.seen?.row;
  if (row?.etag !== undefined) response.setHeader('ETag', row.etag);
  else if (row !== undefined) response.setHeader('Upload-Expires', row.expiresAt.toUTCString());
  if (request.method === 'OPTIONS')
    response.setHeader('Tus-Checksum-Algorithm', checksumAlgorithms.join(','));
  if (answer.status === 201) response.setHeader('Content-Length', 0);
  response.writeHead(answer.status).end();
}
