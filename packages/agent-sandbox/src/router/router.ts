import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Principal } from '@sandport/engine';
import { SandportFault } from '@sandport/protocol';
import { type Destination, type Exchange, proxyRequest, proxyUpgrade } from '@sandport/server';
import { openExchange } from '../connections/open-exchange.ts';
import type { Router as MountedRouter } from '../router-mount.ts';
import { isUnreachable, Refusal, unreachable } from '../runtimes/answers.ts';
import { type HttpRuntime, type RuntimeEngine, runtimePorts } from '../runtimes/runtime.ts';
import type { LocatedSandbox, SandboxDirectory } from '../sandboxes/sandbox-directory.ts';
import { type Program, programDestination, programRefusal } from './program-destination.ts';
import { endWith } from './raw-answer.ts';
import { routerFieldsOf, wrongAddress } from './router-fields.ts';
import { refuseForeignTargets, refusePages } from './web-pages.ts';

export interface RouterOptions {
  readonly engine: RuntimeEngine;
  readonly directory: () => SandboxDirectory;
  readonly python: HttpRuntime;
  readonly sandboxd: HttpRuntime;
  readonly log: (message: string, fields: Record<string, unknown>) => void;
}

/**
 * Leads requests to the sandbox that their `X-Sandbox-…` headers name: to the runtimes of the daemon
 * at their ports, else to what the sandbox's own programs listen at. Nothing but a sandbox of the
 * principal's namespaces is ever connected.
 */
export class Router implements MountedRouter {
  readonly #options: RouterOptions;

  constructor(options: RouterOptions) {
    this.#options = options;
  }

  /** Answers a request, errors included. Never rejects. */
  async handle(
    request: IncomingMessage,
    response: ServerResponse,
    principal: Principal,
  ): Promise<void> {
    const exchange = openExchange(request, response);
    if (exchange === undefined) return;
    try {
      refuseForeignTargets(request);
      refusePages(request);
      if (exchange.path === '/healthz') {
        exchange.json(200, { status: 'ok' });
        return;
      }
      const { sandbox, port } = this.#find(request, principal);
      const runtime = this.#runtimeAt(port);
      if (runtime !== undefined) await runtime.handle(exchange, { sandbox, principal });
      else {
        await this.#lead(request, { principal, sandbox, port }, (destination) =>
          proxyRequest(exchange, destination),
        );
      }
    } catch (error) {
      this.#answer(exchange, error);
    }
  }

  /** Leads an upgraded connection, as of a WebSocket, to a program in a sandbox. Never rejects. */
  async upgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    principal: Principal,
  ): Promise<void> {
    socket.on('error', () => socket.destroy());
    try {
      refuseForeignTargets(request);
      refusePages(request);
      const { sandbox, port } = this.#find(request, principal);
      if (this.#runtimeAt(port) !== undefined)
        throw new Refusal(400, { detail: 'This port takes no upgraded connections.' });
      await this.#lead(request, { principal, sandbox, port }, (destination) =>
        proxyUpgrade({ request, socket, head }, destination),
      );
    } catch (error) {
      endWith(socket, error instanceof Refusal ? error : this.#internal(error));
    }
  }

  #find(request: IncomingMessage, principal: Principal): { sandbox: LocatedSandbox; port: number } {
    const { id, namespace, port, podAddress } = routerFieldsOf(request);
    const directory = this.#options.directory();
    const sandbox = directory.find(principal, namespace, id);
    if (sandbox === undefined) throw unreachable(id);
    if (
      podAddress !== undefined &&
      directory.byAddress(podAddress)?.sandboxId !== sandbox.sandboxId
    )
      throw wrongAddress();
    return { sandbox, port };
  }

  /** @throws Refusal 502, 504 */
  async #lead(
    request: IncomingMessage,
    to: { principal: Principal; sandbox: LocatedSandbox; port: number },
    use: (destination: Destination) => Promise<void>,
  ): Promise<void> {
    const { principal, sandbox, port } = to;
    const connect = () => this.#connect(principal, sandbox, port);
    const program: Program = { name: sandbox.name, port, connect };
    try {
      await use(programDestination(request, program));
    } catch (error) {
      throw programRefusal(error, program);
    }
  }

  #runtimeAt(port: number): HttpRuntime | undefined {
    if (port === runtimePorts.python) return this.#options.python;
    return port === runtimePorts.sandboxd ? this.#options.sandboxd : undefined;
  }

  async #connect(principal: Principal, sandbox: LocatedSandbox, port: number): Promise<Duplex> {
    try {
      return await this.#options.engine.commands.connect(principal, sandbox.sandboxId, port);
    } catch (error) {
      const isShut = error instanceof SandportFault && error.code === 'port_not_open';
      throw isShut || isUnreachable(error) ? unreachable(sandbox.name) : error;
    }
  }

  #answer(exchange: Exchange, error: unknown): void {
    if (exchange.signal.aborted) return;
    if (error instanceof Refusal) error.answer(exchange);
    else this.#internal(error).answer(exchange);
  }

  #internal(error: unknown): Refusal {
    this.#options.log('the router met an unexpected error', { error: String(error) });
    return new Refusal(500, { detail: 'An internal error occurred in the proxy.' });
  }
}
