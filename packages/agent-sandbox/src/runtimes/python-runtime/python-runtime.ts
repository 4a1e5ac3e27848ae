import { SandportFault } from '@sandport/protocol';
import { answerBody, type Exchange } from '@sandport/server';
import { isUnreachable, Refusal, unreachable } from '../answers.ts';
import { decodePath } from '../paths.ts';
import type { HttpRuntime, RuntimeOptions, RuntimeTarget } from '../runtime.ts';
import { Download } from './download.ts';
import { Execute } from './execute.ts';
import { Exists } from './exists.ts';
import { List } from './list.ts';
import { Upload } from './upload.ts';

/** An endpoint; `rest` is the path behind its prefix, decoded. */
export interface Endpoint {
  readonly methods: readonly string[];
  handle(exchange: Exchange, target: RuntimeTarget, rest: string): Promise<void>;
}

/**
 * The API of the python runtime of kubernetes-sigs/agent-sandbox, with absolute paths that are
 * absolute, a shell for commands, and uploads that are atomic. Served by the daemon.
 */
export class PythonRuntime implements HttpRuntime, Disposable {
  readonly #log: RuntimeOptions['log'];
  readonly #execute: Execute;
  /** By their first path segment; with a slash at the end, a path follows. */
  readonly #endpoints: ReadonlyMap<string, Endpoint>;

  constructor(options: RuntimeOptions) {
    this.#log = options.log;
    this.#execute = new Execute(options);
    this.#endpoints = new Map<string, Endpoint>([
      ['', health],
      ['execute', this.#execute],
      ['upload', new Upload(options)],
      ['download/', new Download(options)],
      ['list/', new List(options)],
      ['exists/', new Exists(options)],
    ]);
  }

  async handle(exchange: Exchange, target: RuntimeTarget): Promise<void> {
    try {
      const [endpoint, rest] = this.#find(exchange.path);
      const method = exchange.request.method ?? 'GET';
      if (!endpoint.methods.includes(method))
        throw new Refusal(
          405,
          { detail: 'Method Not Allowed' },
          { Allow: endpoint.methods.join(', ') },
        );
      await endpoint.handle(exchange, target, rest);
    } catch (error) {
      this.#answer(exchange, target, error);
    }
  }

  /** Ends the commands whose clients have gone. */
  [Symbol.dispose](): void {
    this.#execute[Symbol.dispose]();
  }

  #find(path: string): [Endpoint, string] {
    const slash = path.indexOf('/', 1);
    const name = slash === -1 ? path.slice(1) : path.slice(1, slash + 1);
    const endpoint = this.#endpoints.get(name);
    if (endpoint === undefined) throw new Refusal(404, { detail: 'Not Found' });
    return [endpoint, slash === -1 ? '' : decodePath(path.slice(slash + 1))];
  }

  #answer(exchange: Exchange, { sandbox }: RuntimeTarget, error: unknown): void {
    if (exchange.signal.aborted) return;
    if (error instanceof Refusal) error.answer(exchange);
    else if (isUnreachable(error)) unreachable(sandbox.name).answer(exchange);
    else if (error instanceof SandportFault) {
      exchange.errorCode = error.code;
      answerBody(exchange, error.status, { message: error.message });
    } else {
      this.#log('a request to a sandbox met an unexpected error', {
        sandbox: sandbox.sandboxId,
        path: exchange.path.slice(0, 200),
        error: String(error),
      });
      answerBody(exchange, 500, { detail: 'Internal Server Error' });
    }
  }
}

const health: Endpoint = {
  methods: ['GET'],
  handle: async (exchange) =>
    exchange.json(200, { status: 'ok', message: 'Sandbox Runtime is active.' }),
};
