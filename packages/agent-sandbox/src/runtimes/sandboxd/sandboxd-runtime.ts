import { SandportFault } from '@sandport/protocol';
import { answerBody, type Exchange } from '@sandport/server';
import { isUnreachable, Refusal, unreachable } from '../answers.ts';
import { decodePath } from '../paths.ts';
import type { HttpRuntime, RuntimeOptions, RuntimeTarget } from '../runtime.ts';
import { allow } from './allow.ts';
import { FilesEndpoint } from './files-endpoint.ts';
import { inWords, refusal } from './sandboxd-fault.ts';
import { metadataOf } from './metadata.ts';

const filesPrefix = '/v1/files';

/** The REST API of sandboxd, of kubernetes-sigs/agent-sandbox. Served by the daemon. */
export class SandboxdRuntime implements HttpRuntime {
  readonly #options: RuntimeOptions;
  readonly #files: FilesEndpoint;
  readonly #startedAt = performance.now();

  constructor(options: RuntimeOptions) {
    this.#options = options;
    this.#files = new FilesEndpoint(options);
  }

  async handle(exchange: Exchange, target: RuntimeTarget): Promise<void> {
    try {
      await this.#dispatch(exchange, target);
    } catch (error) {
      this.#answer(exchange, target, error);
    }
  }

  async #dispatch(exchange: Exchange, target: RuntimeTarget): Promise<void> {
    const { path } = exchange;
    if (path === filesPrefix || path.startsWith(`${filesPrefix}/`)) {
      const rest = decodePath(path.slice(filesPrefix.length + 1));
      await this.#files.handle(exchange, target, rest);
    } else if (path === '/v1/health') {
      allow(exchange, ['GET', 'HEAD']);
      const uptime = Math.floor((performance.now() - this.#startedAt) / 1000);
      exchange.json(200, { status: 'ok', uptime_seconds: uptime });
    } else if (path === '/v1/metadata') {
      allow(exchange, ['GET', 'HEAD']);
      exchange.json(200, await metadataOf(this.#options.engine, target, exchange.signal));
    } else throw refusal('NOT_FOUND', `There is no ${path.slice(0, 200)}.`);
  }

  #answer(exchange: Exchange, { sandbox }: RuntimeTarget, error: unknown): void {
    if (exchange.signal.aborted) return;
    if (error instanceof Refusal) error.answer(exchange);
    else if (isUnreachable(error)) unreachable(sandbox.name).answer(exchange);
    else if (error instanceof SandportFault) {
      exchange.errorCode = error.code;
      inWords(error).answer(exchange);
    } else {
      this.#options.log('a request to a sandbox met an unexpected error', {
        sandbox: sandbox.sandboxId,
        path: exchange.path.slice(0, 200),
        error: String(error),
      });
      answerBody(exchange, 500, { code: 'INTERNAL', message: 'An unexpected error.' });
    }
  }
}
