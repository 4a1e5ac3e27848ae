import type { CommandObject, TerminalSizeBody } from '@sandport/protocol';
import { ConflictError } from '../../errors/api-errors.ts';
import type { SignalOptions } from '../../filesystem/progress.ts';
import type { OnRetry } from '../../http/patience.ts';
import type { Woke } from '../../http/woke.ts';
import { checkExit } from '../check-exit.ts';
import { type KeptCommandEvent, withText } from '../command-events.ts';
import type { CommandLine } from '../command-options.ts';
import { CommandReader, type ReaderOptions } from '../command-reader.ts';
import type { CommandResult } from '../command-result.ts';
import type { CommandSignal } from '../signal.ts';
import type { CommandInput } from '../stdin-chunks.ts';
import { followOutput, type OutputOffsets } from './follow-output.ts';
import { InputQueue } from './input-queue.ts';
import type { KeptApi, KeptOutput, OutputStream } from './kept-api.ts';
import { keptExit } from './kept-exit.ts';

export interface HandleOptions extends ReaderOptions {
  /** Where to begin in both streams, or in each, counted from the first byte. @default 0 */
  since?: number | Partial<OutputOffsets> | undefined;
  /** `wait` throws `CommandError` when the command fails. @default false */
  check?: boolean | undefined;
  /** Called when the connection broke, before each attempt to make it again. */
  onRetry?: OnRetry | undefined;
}

export interface ReadOutputOptions extends SignalOptions {
  /** @default 'stdout' */
  stream?: OutputStream | undefined;
  /** Offset of the first byte. @default 0 */
  since?: number | undefined;
  /** Most bytes. @default what one answer holds */
  limit?: number | undefined;
}

/**
 * A command that goes on by itself: this process may end, the connection break and the daemon start
 * anew. Output is followed while `wait` or an iteration reads, or at once when there are callbacks;
 * a reader who stays behind holds the command when what is kept of its output is full.
 */
export class CommandHandle implements AsyncIterable<KeptCommandEvent>, AsyncDisposable {
  readonly id: string;
  readonly #api: KeptApi;
  readonly #reader: CommandReader<KeptCommandEvent>;
  readonly #offsets: OutputOffsets;
  readonly #options: HandleOptions;
  readonly #woke: Woke | undefined;
  #info: CommandObject;
  #input: InputQueue;
  #stop = new AbortController();
  #result: Promise<CommandResult> | undefined;
  #given: Promise<void> = Promise.resolve();

  constructor(
    api: KeptApi,
    { info, woke }: { readonly info: CommandObject; readonly woke?: Woke | undefined },
    options: HandleOptions,
  ) {
    const { since = 0, onStdout, onStderr } = options;
    this.id = info.id;
    this.#api = api;
    this.#info = info;
    this.#woke = woke;
    this.#options = options;
    this.#input = new InputQueue(api, info.id);
    this.#offsets =
      typeof since === 'number'
        ? { stdout: since, stderr: since }
        : { stdout: since.stdout ?? 0, stderr: since.stderr ?? 0 };
    this.#reader = new CommandReader(() => this.#follow(), options);
    if (onStdout !== undefined || onStderr !== undefined) void this.wait().catch(() => {});
  }

  /** What the daemon said last about it; `refresh` asks anew. */
  get info(): CommandObject {
    return this.#info;
  }

  /** Process id inside the sandbox. */
  get pid(): number | undefined {
    return this.#info.pid;
  }

  /** What was started. */
  get command(): CommandLine {
    return this.#info.cmd ?? this.#info.args ?? '';
  }

  /** What has been read so far. */
  get stdout(): string {
    return this.#reader.stdout;
  }

  get stderr(): string {
    return this.#reader.stderr;
  }

  /** Where the next bytes of each stream are that have not been read: for `since` of another time. */
  get offsets(): Readonly<OutputOffsets> {
    return { ...this.#offsets };
  }

  /** Undefined while it is not known to have ended. */
  get exitCode(): number | undefined {
    return this.#reader.end?.exitCode ?? this.#info.exit_code;
  }

  /** Asks the daemon how it is. */
  async refresh(options: SignalOptions = {}): Promise<CommandObject> {
    this.#info = await this.#api.get(this.id, options);
    return this.#info;
  }

  /**
   * Reads the output to its end. A command that fails is no error, unless `check` was given.
   * @throws CommandLostError; the reason of `disconnect`
   */
  wait(): Promise<CommandResult> {
    if (this.#result !== undefined) return this.#result;
    const ended = this.#reader.result();
    // One that ends without having read its input has ended all the same.
    const given = this.#given.catch((error: unknown) => {
      if (!(error instanceof ConflictError)) throw error;
    });
    const read = Promise.race([ended, given.then(() => ended)]);
    const { check } = this.#options;
    const result = check === true ? read.then((end) => checkExit(this.command, end)) : read;
    this.#result = result;
    // What failed can be tried again.
    result.catch(() => {
      if (this.#result === result) this.#result = undefined;
    });
    return result;
  }

  /**
   * Its output as it comes, then one `exit` event. Output that the daemon no longer had comes as a
   * `gap`. Leaving the loop leaves the command alone.
   */
  [Symbol.asyncIterator](): AsyncGenerator<KeptCommandEvent, void, undefined> {
    return this.#reader.events();
  }

  /** A part of what is kept of its output; the daemon keeps it after the end, too. */
  output({
    stream = 'stdout',
    since = 0,
    limit,
    signal,
  }: ReadOutputOptions = {}): Promise<KeptOutput> {
    return this.#api.output(this.id, { stream, since, limit }, { signal });
  }

  /**
   * Writes to its input, in the order of the calls; resolves when it has been taken.
   * @throws ConflictError when the command has ended or has no input
   */
  sendStdin(input: CommandInput): Promise<void> {
    return this.#input.send(input);
  }

  /** Gives it all of its input, beside the reading of its output; `wait` fails when that does. */
  giveInput(input: CommandInput): void {
    this.#given = this.sendStdin(input).then(() => this.closeStdin());
    this.#given.catch(() => {});
  }

  /** Its input ends. */
  closeStdin(): Promise<void> {
    return this.#input.close();
  }

  /** Sends a signal to all its processes; without effect when it has ended. @default 'SIGKILL' */
  async kill(signal: CommandSignal = 'SIGKILL'): Promise<void> {
    try {
      await this.#api.signal(this.id, signal);
    } catch (error) {
      if (!(error instanceof ConflictError && error.code === 'command_ended')) throw error;
    }
  }

  /** Of its terminal. @throws ConflictError when it has none */
  async resize(size: TerminalSizeBody): Promise<void> {
    await this.#api.resize(this.id, size);
  }

  /** Ends it (SIGTERM, two seconds later SIGKILL) and lets the daemon forget it. */
  async remove(options: SignalOptions = {}): Promise<void> {
    await this.#api.remove(this.id, options);
  }

  /**
   * Reads and writes no more; the command goes on. What is under way fails: `wait` and iterations
   * can be begun again, input that had not been taken is given up.
   */
  disconnect(
    reason: unknown = new Error(`The command ${this.id} is not followed any more.`),
  ): Promise<void> {
    this.#stop.abort(reason);
    this.#input.abort(reason);
    this.#stop = new AbortController();
    this.#input = new InputQueue(this.#api, this.id);
    this.#given = Promise.resolve();
    this.#result = undefined;
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.disconnect();
  }

  #follow(): AsyncGenerator<KeptCommandEvent, void, undefined> {
    const { signal } = this.#stop;
    return withText(this.#events(signal));
  }

  async *#events(signal: AbortSignal) {
    const { onRetry } = this.#options;
    for await (const event of followOutput(this.#api, this.id, this.#offsets, { signal, onRetry }))
      yield event.type === 'ended' ? keptExit(event, this.#info, this.#woke) : event;
  }
}
