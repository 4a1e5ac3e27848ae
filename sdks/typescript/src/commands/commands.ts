import { execResultSchema, maxExecOutputBytes } from '@sandport/protocol';
import type { Transport } from '../http/transport.ts';
import { type CommandEvent, commandEvents } from './command-events.ts';
import { type CommandLine, type CommandOptions, execBody } from './command-options.ts';
import { type CommandEnd, commandEnd, type CommandResult } from './command-result.ts';
import { OutputBuffer } from './output-buffer.ts';

export interface OutputCallbacks {
  /** Called with the text as it comes. A promise holds back what comes after it. */
  onStdout?: ((text: string) => void | Promise<void>) | undefined;
  onStderr?: ((text: string) => void | Promise<void>) | undefined;
}

export interface RunOptions extends CommandOptions, OutputCallbacks {}

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
   * arguments. A command that fails is no error: see `exitCode`.
   */
  async run(command: CommandLine, options: RunOptions = {}): Promise<CommandResult> {
    if (options.onStdout !== undefined || options.onStderr !== undefined) {
      return this.#runStreaming(command, options);
    }
    const { value: result, message } = await this.#transport.jsonWithHead(
      {
        method: 'POST',
        path: `${this.#sandboxPath}/exec`,
        json: execBody(command, options),
        signal: options.signal,
        idleTimeoutMs: 0,
      },
      execResultSchema,
    );
    return { stdout: result.stdout, stderr: result.stderr, ...commandEnd(result, message) };
  }

  /**
   * Runs a command and gives its output as it comes, in bytes and text, then one `exit` event.
   * Leaving the loop ends the command.
   */
  stream(
    command: CommandLine,
    options: CommandOptions = {},
  ): AsyncGenerator<CommandEvent, void, undefined> {
    return commandEvents(this.#transport, this.#sandboxPath, command, options);
  }

  async #runStreaming(command: CommandLine, options: RunOptions): Promise<CommandResult> {
    const limit = options.maxOutputBytes ?? maxExecOutputBytes;
    const stdout = new OutputBuffer(limit);
    const stderr = new OutputBuffer(limit);
    let end: CommandEnd | undefined;
    for await (const event of this.stream(command, options)) {
      if (event.type === 'exit') {
        const { type: _, ...rest } = event;
        end = rest;
      } else if (event.type === 'stdout') {
        stdout.add(event.text, event.bytes.byteLength);
        await options.onStdout?.(event.text);
      } else {
        stderr.add(event.text, event.bytes.byteLength);
        await options.onStderr?.(event.text);
      }
    }
    if (end === undefined) throw new Error('The stream of a command ends with its exit.');
    const truncated = end.truncated || stdout.truncated || stderr.truncated;
    return { ...end, stdout: stdout.text, stderr: stderr.text, truncated };
  }
}
