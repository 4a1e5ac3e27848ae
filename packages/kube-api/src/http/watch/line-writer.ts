import type { ServerResponse } from 'node:http';

export interface LineWriterOptions {
  /** Lines that wait for a slow reader. @default 20000 */
  readonly maxLines?: number | undefined;
  /** Characters that wait for a slow reader. @default 8 MiB */
  readonly maxLength?: number | undefined;
  /** How long a reader may take for what is left at the end. @default 30000 */
  readonly endTimeoutMs?: number | undefined;
}

const maxWriteLength = 64 << 10;
/** Written in one turn of the event loop; then others have theirs. */
const maxTurnLength = 1 << 20;

/**
 * Writes lines as fast as their reader takes them. What waits is bounded, and the lines themselves
 * are shared with other writers: a slow reader costs little, and holds nobody.
 */
export class LineWriter {
  readonly #response: ServerResponse;
  readonly #maxLines: number;
  readonly #maxLength: number;
  readonly #endTimeoutMs: number;
  /** Made when they are needed; they come before all that is pushed. */
  #backlog: Iterator<string> | undefined;
  #waiting: string[] = [];
  #next = 0;
  #length = 0;
  #state: 'idle' | 'scheduled' | 'draining' | 'ended' = 'idle';
  #ending = false;

  constructor(
    response: ServerResponse,
    backlog: Iterable<string>,
    options: LineWriterOptions = {},
  ) {
    this.#response = response;
    this.#backlog = backlog[Symbol.iterator]();
    this.#maxLines = options.maxLines ?? 20_000;
    this.#maxLength = options.maxLength ?? 8 << 20;
    this.#endTimeoutMs = options.endTimeoutMs ?? 30_000;
    response.on('drain', () => {
      if (this.#state === 'draining') this.#pump();
    });
    this.#schedule();
  }

  /** False when more waits than may; then the reader is to be sent away. */
  push(line: string): boolean {
    if (this.#ending) return true;
    this.#waiting.push(line);
    this.#length += line.length;
    this.#schedule();
    return this.#waiting.length - this.#next <= this.#maxLines && this.#length <= this.#maxLength;
  }

  /** After all that waits. */
  end(): void {
    this.#ending = true;
    this.#cutAfterTimeout();
    this.#schedule();
  }

  /** In place of all that waits. */
  endWith(line: string): void {
    this.#backlog = undefined;
    this.#waiting = [line];
    this.#next = 0;
    this.end();
  }

  #cutAfterTimeout(): void {
    const timer = setTimeout(() => this.#response.destroy(), this.#endTimeoutMs);
    timer.unref();
    this.#response.once('close', () => clearTimeout(timer));
  }

  #schedule(): void {
    if (this.#state !== 'idle') return;
    this.#state = 'scheduled';
    queueMicrotask(() => this.#pump());
  }

  #pump(): void {
    if (this.#response.destroyed) {
      this.#state = 'ended';
      return;
    }
    let written = 0;
    for (let piece = this.#piece(); piece !== ''; piece = this.#piece()) {
      written += piece.length;
      if (!this.#response.write(piece)) {
        this.#state = 'draining';
        return;
      }
      if (written >= maxTurnLength) {
        this.#state = 'scheduled';
        setImmediate(() => this.#pump());
        return;
      }
    }
    this.#state = 'idle';
    if (!this.#ending) return;
    this.#state = 'ended';
    this.#response.end();
  }

  /** The next lines; empty when there are none. */
  #piece(): string {
    let piece = '';
    while (piece.length < maxWriteLength) {
      const line = this.#line();
      if (line === undefined) break;
      piece += line;
    }
    return piece;
  }

  #line(): string | undefined {
    const next = this.#backlog?.next();
    if (next !== undefined && next.done !== true) return next.value;
    this.#backlog = undefined;
    const line = this.#waiting[this.#next];
    if (line === undefined) {
      this.#waiting = [];
      this.#next = 0;
      return undefined;
    }
    this.#next += 1;
    this.#length -= line.length;
    return line;
  }
}
