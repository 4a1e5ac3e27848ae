import type { TerminalSizeBody } from '@sandport/protocol';
import type { Transport } from '../../http/transport.ts';
import type { SignalOptions } from '../../filesystem/progress.ts';
import { sandboxPath } from '../../sandbox/sandbox-api.ts';
import type { CommandLine } from '../command-options.ts';
import { KeptApi } from '../kept/kept-api.ts';
import { startCommand } from '../kept/start-command.ts';
import { PtyHandle, type PtyOptions } from './pty-handle.ts';

export interface PtyCreateOptions extends TerminalSizeBody, Omit<PtyOptions, 'since'> {
  /** Run in it. @default the login shell of the user */
  cmd?: CommandLine | undefined;
  /** Working directory in the sandbox. @default the sandbox's workdir */
  cwd?: string | undefined;
  /** Added to the environment of the sandbox. */
  env?: Readonly<Record<string, string>> | undefined;
  /** Name or number. @default the sandbox's user */
  user?: string | undefined;
  /** Milliseconds after which it is ended. @default never */
  timeoutMs?: number | undefined;
  /** Gives up the starting; a terminal that runs is left alone. */
  signal?: AbortSignal | undefined;
}

const loginShell = 'exec "${SHELL:-/bin/sh}" -l';

/** Terminals in a sandbox. */
export class Pty {
  readonly #api: KeptApi;

  constructor(transport: Transport, sandboxId: string) {
    this.#api = new KeptApi(transport, sandboxPath(sandboxId));
  }

  /**
   * Starts a terminal, which goes on by itself: this process may end, the connection break and the
   * daemon start anew.
   *
   * @example
   * const pty = await sandbox.pty.create({
   *   rows: 24,
   *   cols: 80,
   *   onData: (bytes) => process.stdout.write(bytes),
   * });
   * await pty.write('exit\n');
   * await pty.wait();
   */
  async create(options: PtyCreateOptions): Promise<PtyHandle> {
    const { rows, cols, cmd = loginShell, cwd, env, user, timeoutMs, signal } = options;
    const terminal = { rows, cols };
    const how = { cwd, env, user, timeoutMs, signal, terminal };
    const { info } = await startCommand(this.#api, cmd, how);
    return new PtyHandle(this.#api, info, { ...options, since: 0 });
  }

  /**
   * Takes up a terminal that runs, by the id of its command: from now on, or from `since` on.
   * @throws NotFoundError
   */
  async connect(
    id: string,
    { signal, ...options }: PtyOptions & SignalOptions,
  ): Promise<PtyHandle> {
    return new PtyHandle(this.#api, await this.#api.get(id, { signal }), options);
  }
}
