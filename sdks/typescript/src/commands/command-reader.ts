import { maxExecOutputBytes } from '@sandport/protocol';
import type { ExitEvent, GapEvent, OutputEvent } from './command-events.ts';
import type { CommandEnd, CommandResult } from './command-result.ts';
import { OutputBuffer } from './output-buffer.ts';
import type { OutputCallbacks } from './output-callbacks.ts';

export interface ReaderOptions extends OutputCallbacks {
  maxOutputBytes?: number | undefined;
}

/**
 * Reads what comes from one command: collects it, calls the callbacks, and gives it to who iterates.
 * One reads at a time; the next one waits for its turn, and goes on where that one left off.
 */
export class CommandReader<Event extends OutputEvent | ExitEvent | GapEvent> {
  readonly #source: () => AsyncGenerator<Event, void, undefined>;
  readonly #callbacks: OutputCallbacks;
  readonly #stdout: OutputBuffer;
  readonly #stderr: OutputBuffer;
  #events: AsyncGenerator<Event, void, undefined> | undefined;
  #turn: Promise<void> = Promise.resolve();
  #missed = false;
  #exit: Event | undefined;
  #end: CommandEnd | undefined;

  /** @param source called when the first event is wanted, and again after one that failed */
  constructor(source: () => AsyncGenerator<Event, void, undefined>, options: ReaderOptions = {}) {
    const { maxOutputBytes = maxExecOutputBytes, ...callbacks } = options;
    this.#source = source;
    this.#callbacks = callbacks;
    this.#stdout = new OutputBuffer(maxOutputBytes);
    this.#stderr = new OutputBuffer(maxOutputBytes);
  }

  /** What has been read so far. */
  get stdout(): string {
    return this.#stdout.text;
  }

  get stderr(): string {
    return this.#stderr.text;
  }

  /** How it ended; undefined until that has been read. */
  get end(): CommandEnd | undefined {
    return this.#end;
  }

  /** Reads to the end. */
  async result(): Promise<CommandResult> {
    for await (const _ of this.events()) {
      // Collected on the way.
    }
    if (this.#end === undefined) throw new Error('The events of a command end with its exit.');
    const truncated =
      this.#end.truncated || this.#missed || this.#stdout.truncated || this.#stderr.truncated;
    return { ...this.#end, stdout: this.stdout, stderr: this.stderr, truncated };
  }

  /** What has not been read yet, and the exit. Leaving the loop stops the reading, nothing more. */
  async *events(): AsyncGenerator<Event, void, undefined> {
    const before = this.#turn;
    const { promise, resolve } = promiseWithResolve();
    this.#turn = promise;
    try {
      await before;
      while (this.#exit === undefined) {
        const event = await this.#next();
        if (event === undefined) return;
        if (event.type === 'exit') this.#exit = event;
        await this.#take(event);
        if (this.#exit === undefined) yield event;
      }
      yield this.#exit;
    } finally {
      resolve();
    }
  }

  /** Ends the source, which must not be waiting for an event. */
  async close(): Promise<void> {
    const events = this.#events;
    this.#events = undefined;
    await events?.return();
  }

  async #next(): Promise<Event | undefined> {
    this.#events ??= this.#source();
    const events = this.#events;
    try {
      const { value } = await events.next();
      return value === undefined ? undefined : value;
    } catch (error) {
      if (this.#events === events) this.#events = undefined;
      throw error;
    }
  }

  async #take(event: OutputEvent | ExitEvent | GapEvent): Promise<void> {
    if (event.type === 'gap') {
      this.#missed = true;
    } else if (event.type === 'exit') {
      const { type: _, ...end } = event;
      this.#end = end;
    } else if (event.type === 'stdout') {
      this.#stdout.add(event.text, event.bytes.byteLength);
      await this.#callbacks.onStdout?.(event.text);
    } else {
      this.#stderr.add(event.text, event.bytes.byteLength);
      await this.#callbacks.onStderr?.(event.text);
    }
  }
}

function promiseWithResolve() {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
