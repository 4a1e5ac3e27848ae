import { Buffer } from 'node:buffer';
import { NetworkError } from '../../errors/client-errors.ts';
import type { ClientSocket } from '../../http/socket/client-socket.ts';
import type { SocketMessage } from '../../http/socket/socket-queue.ts';
import type { Transport } from '../../http/transport.ts';
import { type CommandEvent, type ExitEvent, type RawOutput, withText } from '../command-events.ts';
import { type CommandLine, type CommandOptions, execBody } from '../command-options.ts';
import { CommandReader } from '../command-reader.ts';
import type { CommandResult } from '../command-result.ts';
import type { OutputCallbacks } from '../output-callbacks.ts';
import type { CommandSignal } from '../signal.ts';
import { type CommandInput, stdinChunks } from '../stdin-chunks.ts';
import { InputWindow } from './input-window.ts';
import { liveMessage, type LiveStart } from './live-message.ts';

export interface OpenOptions extends Omit<CommandOptions, 'stdin'>, OutputCallbacks {
  /** False: it has no input, and reads its end at once. @default true */
  stdin?: boolean | undefined;
}

interface Started extends LiveStart {
  readonly pid: number | undefined;
  readonly window: InputWindow;
}

/** The only command of its connection. */
const id = 'command';

/**
 * A command with an open input, on a connection of its own: it ends when the connection does. Its
 * output has to be read, by `wait` or by iterating; unread, it holds the command.
 */
export class LiveCommand implements AsyncIterable<CommandEvent>, AsyncDisposable {
  /** Process id inside the sandbox. */
  readonly pid: number | undefined;
  readonly #socket: ClientSocket;
  readonly #reader: CommandReader<CommandEvent>;
  readonly #window: InputWindow;
  #result: Promise<CommandResult> | undefined;

  private constructor(
    socket: ClientSocket,
    { window, pid, ...start }: Started,
    options: OpenOptions,
  ) {
    this.pid = pid;
    this.#socket = socket;
    this.#window = window;
    this.#reader = new CommandReader(() => withText(liveEvents(socket, start)), options);
  }

  /** Resolves once the command runs. */
  static async start(
    transport: Transport,
    sandboxPath: string,
    command: CommandLine,
    options: OpenOptions,
  ): Promise<LiveCommand> {
    const { signal } = options;
    const startedAt = performance.now();
    const window = new InputWindow();
    const intercept = (message: SocketMessage) => window.hear(message);
    const socket = await transport.socket({ path: `${sandboxPath}/exec/ws`, signal, intercept });
    void socket.ended.then(() => window.close());
    try {
      const { stdin = true, cwd, env, user, timeoutMs } = options;
      const spec = execBody(command, { cwd, env, user, timeoutMs });
      await socket.send(JSON.stringify({ ...spec, id, stdin, verbose: true }));
      const message = await socket.receive();
      const first = message === undefined ? undefined : liveMessage(message, { startedAt });
      if (first?.type !== 'started') {
        throw new NetworkError('The daemon did not say that the command runs.');
      }
      return new LiveCommand(socket, { ...first, startedAt, window }, options);
    } catch (error) {
      socket.abort(error);
      throw error;
    }
  }

  /** What has been read so far. */
  get stdout(): string {
    return this.#reader.stdout;
  }

  get stderr(): string {
    return this.#reader.stderr;
  }

  /** Undefined until the end has been read. */
  get exitCode(): number | undefined {
    return this.#reader.end?.exitCode;
  }

  /** Writes to its input; resolves when it has been handed to the connection. */
  async sendStdin(input: CommandInput): Promise<void> {
    for await (const chunk of stdinChunks(input)) {
      await this.#window.room();
      if (this.#window.closed) return;
      const { buffer, byteOffset, byteLength } = chunk;
      const base64 = Buffer.from(buffer, byteOffset, byteLength).toString('base64');
      this.#window.sent(byteLength);
      await this.#send({ stdin_base64: base64 });
    }
  }

  /** Its input ends. */
  async closeStdin(): Promise<void> {
    if (this.#window.closed) return;
    this.#window.close();
    await this.#send({ eof: true });
  }

  /** Sends a signal to all processes of the command. @param signal @default 'SIGKILL' */
  async kill(signal: CommandSignal = 'SIGKILL'): Promise<void> {
    await this.#send({ signal });
  }

  /** Reads the output to its end. A command that fails is no error: see `exitCode`. */
  wait(): Promise<CommandResult> {
    this.#result ??= this.#reader.result();
    return this.#result;
  }

  /** Its output as it comes, then one `exit` event. Leaving the loop leaves the command alone. */
  [Symbol.asyncIterator](): AsyncGenerator<CommandEvent, void, undefined> {
    return this.#reader.events();
  }

  /** Closes the connection, which ends the command if it still runs. */
  async disconnect(): Promise<void> {
    this.#window.close();
    await this.#socket.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.disconnect();
  }

  async #send(message: Record<string, unknown>): Promise<void> {
    try {
      await this.#socket.send(JSON.stringify({ ...message, id }));
    } catch (error) {
      // One that has ended reads nothing more, and hears no signals.
      if (!this.#socket.closed) throw error;
    }
  }
}

async function* liveEvents(
  socket: ClientSocket,
  start: LiveStart,
): AsyncGenerator<RawOutput | ExitEvent, void, undefined> {
  try {
    for (;;) {
      const message = await socket.receive();
      if (message === undefined) {
        throw new NetworkError(
          'The connection ended before the command did, and ends the command.',
        );
      }
      const event = liveMessage(message, start);
      if (event === undefined || event.type === 'started') continue;
      if (event.type === 'exit') await socket.close();
      yield event;
      if (event.type === 'exit') return;
    }
  } catch (error) {
    socket.abort(error);
    throw error;
  }
}
