import { execResultSchema } from '@sandport/protocol';
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
import type { RunOptions } from './run-options.ts';

/** Runs commands in a sandbox. A command is never sent twice, and waits for as long as it runs. */
export class Commands {
  readonly #transport: Transport;
  readonly #sandboxPath: string;

  constructor(transport: Transport, sandboxId: string) {
    this.#transport = transport;
    this.#sandboxPath = `/v1/sandboxes/${encodeURIComponent(sandboxId)}`;
  }

  /**
   * Runs a command to its end. A string runs under the shell; an array is a program and its
   * arguments. A command that fails is no error, unless `check` makes it one: see `exitCode`.
   */
  async run(command: CommandLine, options: RunOptions = {}): Promise<CommandResult> {
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

  async #run(command: CommandLine, { stdin, ...options }: RunOptions): Promise<CommandResult> {
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
}

/** More does not travel in the request, but as it is read. */
const smallInputBytes = 4 * 1024 * 1024;

function isSmallInput(input: RunOptions['stdin']): input is string | Uint8Array | undefined {
  if (typeof input === 'string') return input.length <= smallInputBytes / 3;
  return input === undefined || (input instanceof Uint8Array && input.length <= smallInputBytes);
}
