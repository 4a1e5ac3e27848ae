import type { CommandObject, TerminalSizeBody } from '@sandport/protocol';
import { ConflictError } from '../../errors/api-errors.ts';
import type { SignalOptions } from '../../filesystem/progress.ts';
import type { OnRetry } from '../../http/patience.ts';
import type { CommandEnd } from '../command-result.ts';
import { followOutput } from '../kept/follow-output.ts';
import { InputQueue } from '../kept/input-queue.ts';
import type { KeptApi } from '../kept/kept-api.ts';
import { keptExit } from '../kept/kept-exit.ts';
import type { CommandSignal } from '../signal.ts';

export interface PtyOptions {
  /** Called with what the terminal shows, as it comes. A promise holds back what comes after it. */
  onData?: ((bytes: Uint8Array) => unknown) | undefined;
  /** Where to begin, counted from the first byte that it ever showed. @default what comes from now on */
  since?: number | undefined;
  /** Called when the connection broke, before each attempt to make it again. */
  onRetry?: OnRetry | undefined;
}

/** A terminal in a sandbox, which is read as long as it is not disconnected. */
export class PtyHandle implements AsyncDisposable {
  /** Of its command; `commands.get` finds it by this, too. */
  readonly id: string;
  /** Process id inside the sandbox. */
  readonly pid: number | undefined;
  readonly #api: KeptApi;
  readonly #input: InputQueue;
  readonly #stop = new AbortController();
  readonly #end: Promise<CommandEnd>;

  constructor(api: KeptApi, info: CommandObject, options: PtyOptions) {
    this.id = info.id;
    this.pid = info.pid;
    this.#api = api;
    this.#input = new InputQueue(api, info.id);
    this.#end = this.#read(info, options);
    this.#end.catch(() => {});
  }

  /** Keys, or text that is pasted, in the order of the calls; resolves when it has been taken. */
  write(data: string | Uint8Array): Promise<void> {
    return this.#input.send(data);
  }

  /** Each 1 to 1000. */
  resize({ rows, cols }: TerminalSizeBody): Promise<void> {
    return this.#unlessEnded(this.#api.resize(this.id, { rows, cols }));
  }

  /** Sends a signal to what runs in it; without effect when it has ended. @default 'SIGKILL' */
  kill(signal: CommandSignal = 'SIGKILL'): Promise<void> {
    return this.#unlessEnded(this.#api.signal(this.id, signal));
  }

  /**
   * Resolves when what runs in it has ended, and all that it showed has come.
   * @throws CommandLostError; what `onData` throws; the reason of `disconnect`
   */
  wait(): Promise<CommandEnd> {
    return this.#end;
  }

  /** Ends it and lets the daemon forget it. */
  async remove(options: SignalOptions = {}): Promise<void> {
    await this.#api.remove(this.id, options);
  }

  /** Leaves the terminal alone; it goes on. */
  disconnect(
    reason: unknown = new Error(`The terminal ${this.id} is not followed any more.`),
  ): Promise<void> {
    this.#stop.abort(reason);
    this.#input.abort(reason);
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.disconnect();
  }

  async #read(info: CommandObject, { since, onData, onRetry }: PtyOptions): Promise<CommandEnd> {
    const offsets = { stdout: since ?? info.stdout_bytes, stderr: 0 };
    const { signal } = this.#stop;
    for await (const event of followOutput(this.#api, this.id, offsets, { signal, onRetry })) {
      if (event.type === 'ended') {
        const { type: _, ...end } = keptExit(event, info, undefined);
        return end;
      }
      if (event.type === 'stdout') await onData?.(event.bytes);
    }
    throw new Error('The output of a terminal ends with its exit.');
  }

  async #unlessEnded(request: Promise<void>): Promise<void> {
    try {
      await request;
    } catch (error) {
      if (!(error instanceof ConflictError && error.code === 'command_ended')) throw error;
    }
  }
}
