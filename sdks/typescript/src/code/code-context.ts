import { type CodeContextObject, codeContextSchema, type CodeLanguage } from '@sandport/protocol';
import { NotFoundError } from '../errors/api-errors.ts';
import type { SignalOptions } from '../filesystem/progress.ts';
import type { Transport } from '../http/transport.ts';
import type { CodeExecution } from './code-execution.ts';
import { runCode, type RunCodeOptions } from './run-code.ts';

export interface CodeContextOptions extends SignalOptions {
  /** Where it begins. @default the workdir */
  cwd?: string | undefined;
  /** Added to the environment of the sandbox. */
  env?: Readonly<Record<string, string>> | undefined;
  /** Name or number. @default the user of the sandbox */
  user?: string | undefined;
}

/**
 * Code runs here one after the other, and variables live from one run to the next. `await using`
 * closes it at the end of the block.
 */
export class CodeContext implements AsyncDisposable {
  readonly id: string;
  readonly language: CodeLanguage;
  readonly info: CodeContextObject;
  readonly #transport: Transport;
  readonly #path: string;

  constructor(transport: Transport, sandboxPath: string, info: CodeContextObject) {
    this.id = info.id;
    this.language = info.language;
    this.info = info;
    this.#transport = transport;
    this.#path = `${sandboxPath}/repl/sessions/${encodeURIComponent(info.id)}`;
  }

  /** Runs code, after what runs here already. */
  run(code: string, options: RunCodeOptions = {}): Promise<CodeExecution> {
    return runCode(this.#transport, `${this.#path}/run/stream`, { code }, options);
  }

  /** Same as `run`. */
  runCode(code: string, options: RunCodeOptions = {}): Promise<CodeExecution> {
    return this.run(code, options);
  }

  /** The code that runs ends with an error; the variables stay. No error when none runs. */
  async interrupt({ signal }: SignalOptions = {}): Promise<void> {
    await this.#transport.drain({ method: 'POST', path: `${this.#path}/interrupt`, signal });
  }

  /** Ends what runs, and forgets all variables. */
  async restart({ signal }: SignalOptions = {}): Promise<void> {
    const idleTimeoutMs = this.#transport.slowTimeoutMs;
    const path = `${this.#path}/restart`;
    await this.#transport.json({ method: 'POST', path, signal, idleTimeoutMs }, codeContextSchema);
  }

  /** Ends it, and what runs here. No error when it is gone. */
  async close({ signal }: SignalOptions = {}): Promise<void> {
    try {
      await this.#transport.drain({ method: 'DELETE', path: this.#path, signal });
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
