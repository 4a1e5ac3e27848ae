import { execResultSchema } from '@sandport/protocol';
import type { SignalOptions } from '../filesystem/progress.ts';
import type { Transport } from '../http/transport.ts';
import { wokeOf } from '../http/woke.ts';
import { checkExit } from './check-exit.ts';
import { type CommandEvent, type ExitEvent, withText } from './command-events.ts';
import { type CommandLine, type CommandOptions, execBody } from './command-options.ts';
import { CommandReader } from './command-reader.ts';
import { commandEnd, type CommandResult } from './command-result.ts';
import { execStream } from './exec-stream.ts';
import { LiveCommand, type OpenOptions } from './live/live-command.ts';
import { runWithInput } from './live/run-with-input.ts';
import { CommandHandle, type HandleOptions } from './kept/command-handle.ts';
import { KeptApi, type ListCommandsOptions } from './kept/kept-api.ts';
import { startCommand } from './kept/start-command.ts';
import type { RunOptions, StartOptions } from './run-options.ts';

/** Runs commands in a sandbox. A command is never sent twice, and waits for as long as it runs. */
export class Commands {
  readonly #transport: Transport;
  readonly #sandboxPath: string;
  readonly #kept: KeptApi;

  constructor(transport: Transport, sandboxId: string) {
    this.#transport = transport;
    this.#sandboxPath = `/v1/sandboxes/${encodeURIComponent(sandboxId)}`;
    this.#kept = new KeptApi(transport, this.#sandboxPath);
  }

  /**
   * Runs a command to its end. A string runs under the shell; an array is a program and its
   * arguments. A command that fails is no error, unless `check` makes it one: see `exitCode`.
   *
   * With `background` it resolves once the command runs, with a handle to it.
   */
  run(command: CommandLine, options: StartOptions): Promise<CommandHandle>;
  run(command: CommandLine, options?: RunOptions): Promise<CommandResult>;
  async run(
    command: CommandLine,
    options: RunOptions | StartOptions = {},
  ): Promise<CommandResult | CommandHandle> {
    if (options.background === true) return this.#start(command, options);
    const result = await this.#run(command, options);
    return options.check === true ? checkExit(command, result) : result;
  }

  /**
   * Runs a command and gives its output as it comes, in bytes and text, then one `exit` event.
   * Leaving the loop ends the command.
   */
  stream(
    command: CommandLine,
    options: CommandOptions = {},
  ): AsyncGenerator<CommandEvent, void, undefined> {
    return withText<ExitEvent>(execStream(this.#transport, this.#sandboxPath, command, options));
  }

  /** Starts a command whose input stays open, on a connection of its own, which it ends with. */
  open(command: CommandLine, options: OpenOptions = {}): Promise<LiveCommand> {
    return LiveCommand.start(this.#transport, this.#sandboxPath, command, options);
  }

  /** The commands that go on by themselves, and those that have ended and are kept; oldest first. */
  async list(options: ListCommandsOptions = {}): Promise<CommandHandle[]> {
    const found = await this.#kept.list(options);
    return found.map((info) => new CommandHandle(this.#kept, { info }, {}));
  }

  /** One of them. @throws NotFoundError */
  get(id: string, options: SignalOptions = {}): Promise<CommandHandle> {
    return this.connect(id, options);
  }

  /**
   * One of them, to read its output from `since` on: at once where there are callbacks.
   * @throws NotFoundError
   */
  async connect(
    id: string,
    { signal, ...options }: HandleOptions & SignalOptions = {},
  ): Promise<CommandHandle> {
    return new CommandHandle(this.#kept, { info: await this.#kept.get(id, { signal }) }, options);
  }

  async #start(command: CommandLine, options: StartOptions): Promise<CommandHandle> {
    const handle = new CommandHandle(
      this.#kept,
      await startCommand(this.#kept, command, options),
      options,
    );
    if (options.stdin !== undefined && options.stdin !== true) handle.giveInput(options.stdin);
    return handle;
  }

  async #run(command: CommandLine, { stdin, ...options }: RunOptions): Promise<CommandResult> {
    if (options.reconnect === true) return this.#runKept(command, { ...options, stdin });
    if (!isSmallInput(stdin)) return runWithInput(await this.open(command, options), stdin);
    const how: CommandOptions = { ...options, stdin };
    if (options.onStdout !== undefined || options.onStderr !== undefined) {
      const reader = new CommandReader(() => this.stream(command, how), options);
      try {
        return await reader.result();
      } finally {
        await reader.close();
      }
    }
    const { value: result, message } = await this.#transport.jsonWithHead(
      {
        method: 'POST',
        path: `${this.#sandboxPath}/exec`,
        json: execBody(command, how),
        signal: options.signal,
        idleTimeoutMs: 0,
      },
      execResultSchema,
    );
    const { stdout, stderr } = result;
    return { stdout, stderr, ...commandEnd(result, wokeOf(message)) };
  }

  async #runKept(command: CommandLine, options: RunOptions): Promise<CommandResult> {
    const { signal, check: _, ...rest } = options;
    const handle = await this.#start(command, { ...rest, background: true, signal });
    const stop = () => void handle.disconnect(signal?.reason);
    signal?.addEventListener('abort', stop, { once: true });
    try {
      signal?.throwIfAborted();
      return await handle.wait();
    } finally {
      signal?.removeEventListener('abort', stop);
      // It ends here, and the daemon forgets it by itself when it cannot be told.
      await handle.remove({ signal: AbortSignal.timeout(removeTimeoutMs) }).catch(() => {});
    }
  }
}

/** How long the end of a command that is given up may take. */
const removeTimeoutMs = 10_000;

/** More does not travel in the request, but as it is read. */
const smallInputBytes = 4 * 1024 * 1024;

function isSmallInput(input: RunOptions['stdin']): input is string | Uint8Array | undefined {
  if (typeof input === 'string') return input.length <= smallInputBytes / 3;
  return input === undefined || (input instanceof Uint8Array && input.length <= smallInputBytes);
}
