import { createHash } from 'node:crypto';
import { type Exchange, readText, tellWhenWoken } from '@sandport/server';
import type { RuntimeEngine, RuntimeOptions, RuntimeTarget } from '../runtime.ts';
import { requestTimeoutSeconds } from '../request-timeout.ts';
import { type ExecuteResult, runInShell } from './run-in-shell.ts';
import { RunsOfLostClients } from './runs-of-lost-clients.ts';
import type { Endpoint } from './python-runtime.ts';
import { parseExecute } from './validation.ts';

/** Most bytes of a request. */
const limitBytes = 32 * 1024 * 1024;

/**
 * Runs a command line under the shell, in the home directory. The answer is always 200; how the
 * command failed stands in it. A client that goes away without its answer and sends the very same
 * request again within some seconds gets the answer of the command that it began: see
 * {@link RunsOfLostClients}.
 */
export class Execute implements Endpoint, Disposable {
  readonly methods = ['POST'];
  readonly #engine: RuntimeEngine;
  readonly #runs = new RunsOfLostClients<ExecuteResult>();

  constructor({ engine }: RuntimeOptions) {
    this.#engine = engine;
  }

  async handle(exchange: Exchange, target: RuntimeTarget): Promise<void> {
    const text = await readText(exchange, limitBytes);
    const { command, timeoutSeconds } = parseExecute(text);
    const { principal, sandbox } = target;
    const woken = tellWhenWoken(exchange);
    // What keeps the sandbox from running anything is told before the command counts as begun.
    await this.#engine.commands.ready(principal, sandbox.sandboxId, woken);
    const limits = [timeoutSeconds, requestTimeoutSeconds(exchange.request)];
    const sent = createHash('sha256').update(text).digest('base64');
    const result = await this.#runs.run(
      `${sandbox.sandboxId} ${principal.keyId} ${sent}`,
      (signal) =>
        runInShell(this.#engine, target, {
          command,
          timeoutSeconds: shortest(limits),
          signal,
        }),
      exchange.signal,
    );
    if (result !== undefined) exchange.json(200, result);
  }

  [Symbol.dispose](): void {
    this.#runs[Symbol.dispose]();
  }
}

const shortest = (limits: readonly (number | undefined)[]): number | undefined => {
  const given = limits.filter((limit) => limit !== undefined);
  return given.length === 0 ? undefined : Math.min(...given);
};
