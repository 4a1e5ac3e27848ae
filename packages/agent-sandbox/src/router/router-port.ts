import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Principal } from '@sandport/engine';
import { ConnectionServer } from '../connections/connection-server.ts';
import { openExchange } from '../connections/open-exchange.ts';
import { Refusal } from '../runtimes/answers.ts';
import { endWith } from './raw-answer.ts';
import type { Router } from './router.ts';
import { refuseForeignHosts } from './web-pages.ts';

/** The router on connections that carry no key: whoever has one acts as its principal. */
export class RouterPort implements Disposable {
  readonly #server: ConnectionServer<Principal>;

  constructor(router: Router) {
    this.#server = new ConnectionServer({
      serve: (request, response, principal) => {
        if (isLocal(request, response)) void router.handle(request, response, principal);
      },
      upgrade: (request, socket, head, principal) => {
        const refusal = refusalOf(request);
        if (refusal === undefined) void router.upgrade(request, socket, head, principal);
        else endWith(socket, refusal);
      },
    });
  }

  /** Serves a connection until it ends. */
  accept(socket: Duplex, principal: Principal): void {
    this.#server.accept(socket, principal);
  }

  [Symbol.dispose](): void {
    this.#server[Symbol.dispose]();
  }
}

/** False: it was refused. */
function isLocal(request: IncomingMessage, response: ServerResponse): boolean {
  const refusal = refusalOf(request);
  if (refusal === undefined) return true;
  const exchange = openExchange(request, response);
  if (exchange !== undefined) refusal.answer(exchange);
  return false;
}

function refusalOf(request: IncomingMessage): Refusal | undefined {
  try {
    refuseForeignHosts(request);
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}
