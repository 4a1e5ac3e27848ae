import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { ConnectionServer } from '../connections/connection-server.ts';
import { openExchange } from '../connections/open-exchange.ts';
import { refuseForeignHosts, refuseForeignTargets, refusePages } from '../router/web-pages.ts';
import { Refusal } from '../runtimes/answers.ts';
import type { ProcessService } from '../runtimes/process-service/process-service.ts';
import { type HttpRuntime, runtimePorts, type RuntimeTarget } from '../runtimes/runtime.ts';

export interface RuntimePortsOptions {
  readonly python: HttpRuntime;
  readonly sandboxd: HttpRuntime;
  readonly process: Pick<ProcessService, 'accept'>;
}

/**
 * The ports of every sandbox behind which the daemon answers, for connections that carry no key:
 * they lead to one sandbox, and whoever has one may use that sandbox.
 */
export class RuntimePorts implements Disposable {
  readonly #servers: ReadonlyMap<number, ConnectionServer<RuntimeTarget>>;
  readonly #process: Pick<ProcessService, 'accept'>;

  constructor({ python, sandboxd, process }: RuntimePortsOptions) {
    this.#process = process;
    this.#servers = new Map([
      [runtimePorts.python, serverOf(python)],
      [runtimePorts.sandboxd, serverOf(sandboxd)],
    ]);
  }

  /** Serves a connection to a port; false when the daemon has nothing there. */
  accept(port: number, socket: Duplex, target: RuntimeTarget): boolean {
    if (port === runtimePorts.process) {
      this.#process.accept(socket, target);
      return true;
    }
    const server = this.#servers.get(port);
    server?.accept(socket, target);
    return server !== undefined;
  }

  [Symbol.dispose](): void {
    for (const server of this.#servers.values()) server[Symbol.dispose]();
  }
}

const serverOf = (runtime: HttpRuntime): ConnectionServer<RuntimeTarget> =>
  new ConnectionServer({
    serve: (request, response, target) => void serve(runtime, request, response, target),
  });

async function serve(
  runtime: HttpRuntime,
  request: IncomingMessage,
  response: ServerResponse,
  target: RuntimeTarget,
): Promise<void> {
  const exchange = openExchange(request, response);
  if (exchange === undefined) return;
  try {
    refuseForeignTargets(request);
    refusePages(request);
    refuseForeignHosts(request);
  } catch (error) {
    if (error instanceof Refusal) error.answer(exchange);
    else response.destroy();
    return;
  }
  await runtime.handle(exchange, target);
}
