import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Engine, Principal } from '@sandport/engine';
import { answerBody, apiKeyOf, expectsContinue, type Mount, passwordOf } from '@sandport/server';

/** Answers requests to sandboxes of whoever asks. */
export interface Router {
  handle(request: IncomingMessage, response: ServerResponse, principal: Principal): Promise<void>;
  upgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    principal: Principal,
  ): Promise<void>;
}

/** Below which the API of the daemon has the router. */
export const routerPath = '/agent-sandbox/router';

/** Headers with an API key in them: never for the router, and less for a sandbox. */
const keyHeaders = ['authorization', 'x-api-key'];

const sentence =
  'The request carries no valid API key; send Authorization: Bearer KEY, or X-API-Key: KEY, or put it into the address: http://sandport:KEY@HOST:PORT.';

/**
 * The router on the daemon's API, for those with an API key: as a token, as `X-API-Key`, or as the
 * password in the address, which is all that some clients can be given.
 */
export function routerMount(keys: Engine['keys'], router: Router): Mount {
  const enter = (request: IncomingMessage): Principal | undefined => {
    const key = apiKeyOf(request.headers) ?? passwordOf(request.headers);
    const principal = key === undefined ? undefined : keys.authenticate(key);
    if (principal !== undefined) removeKeys(request);
    return principal;
  };
  return {
    path: routerPath,
    handle: async (request, response) => {
      const bodyHeldBack = expectsContinue(request);
      const principal = enter(request);
      if (principal === undefined) {
        const headers = { 'WWW-Authenticate': 'Bearer, Basic realm="sandport"' };
        answerBody({ request, response, bodyHeldBack }, 401, { detail: sentence }, headers);
        return;
      }
      await router.handle(request, response, principal);
    },
    upgrade: async (request, socket, head) => {
      const principal = enter(request);
      if (principal !== undefined) {
        await router.upgrade(request, socket, head, principal);
        return;
      }
      const body = JSON.stringify({ detail: sentence });
      socket.end(
        `HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
      );
    },
  };
}

function removeKeys(request: IncomingMessage): void {
  for (const name of keyHeaders) delete request.headers[name];
  const { rawHeaders } = request;
  for (let index = rawHeaders.length - 2; index >= 0; index -= 2)
    if (keyHeaders.includes(rawHeaders[index]?.toLowerCase() ?? '')) rawHeaders.splice(index, 2);
}
