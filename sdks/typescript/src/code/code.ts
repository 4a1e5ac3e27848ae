import { codeContextSchema, type CodeLanguage } from '@sandport/protocol';
import type { SignalOptions } from '../filesystem/progress.ts';
import type { Transport } from '../http/transport.ts';
import { sandboxPath } from '../sandbox/sandbox-api.ts';
import { CodeContext, type CodeContextOptions } from './code-context.ts';
import type { CodeExecution } from './code-execution.ts';
import { runCode, type RunCodeOptions } from './run-code.ts';

/** Runs code in a sandbox. */
export class Code {
  readonly #transport: Transport;
  readonly #path: string;

  constructor(transport: Transport, sandboxId: string) {
    this.#transport = transport;
    this.#path = sandboxPath(sandboxId);
  }

  /** Runs code in the default context of the language. */
  run(
    code: string,
    language: CodeLanguage = 'python',
    options: RunCodeOptions = {},
  ): Promise<CodeExecution> {
    return runCode(this.#transport, `${this.#path}/repl/stream`, { code, language }, options);
  }

  /** Resolves when code can run in it. */
  async createContext(
    language: CodeLanguage = 'python',
    { signal, ...settings }: CodeContextOptions = {},
  ): Promise<CodeContext> {
    const info = await this.#transport.json(
      {
        method: 'POST',
        path: `${this.#path}/repl/sessions`,
        json: { language, ...settings },
        signal,
        idleTimeoutMs: this.#transport.slowTimeoutMs,
      },
      codeContextSchema,
    );
    return new CodeContext(this.#transport, this.#path, info);
  }

  /** All contexts, default ones too. */
  async listContexts({ signal }: SignalOptions = {}): Promise<CodeContext[]> {
    const path = `${this.#path}/repl/sessions`;
    const found = await this.#transport.json(
      { method: 'GET', path, signal },
      codeContextSchema.array(),
    );
    return found.map((info) => new CodeContext(this.#transport, this.#path, info));
  }
}
