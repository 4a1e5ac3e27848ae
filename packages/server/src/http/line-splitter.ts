import { Transform, type TransformCallback } from 'node:stream';

export interface LineSplitterOptions {
  /** Longer lines are refused. */
  readonly maxLineBytes: number;
  /** Waits for the memory of a line that is longer than 1 MiB; undefined when there is none. */
  readonly takeRoom: (signal: AbortSignal) => Promise<Disposable | undefined>;
}

/** A line without its line break, or why it did not come. Numbers are from 1. */
export type BodyLine =
  | { readonly number: number; readonly bytes: Buffer }
  | { readonly number: number; readonly refused: 'too_long' | 'no_room' };

const lineBreak = 0x0a;
/** So many pieces of a line are joined to one. */
const maxPieces = 1024;
/** Longer lines take room of their own. */
const longLineBytes = 1024 * 1024;
/** How long a line waits for room, in milliseconds. */
const roomWaitMs = 10_000;

export interface SplitLine {
  readonly line: BodyLine;
  /** To be disposed of when the line is done with. */
  readonly room: Disposable | undefined;
}

/**
 * Splits bytes into lines; gives {@link SplitLine}s. Destroying it gives back the room of all lines.
 */
export class LineSplitter extends Transform {
  readonly #options: LineSplitterOptions;
  readonly #gone = new AbortController();
  /** Beginning of the line that has not ended yet. */
  #open: Buffer[] = [];
  /** Its last pieces, to be joined: a client may send byte by byte. */
  #pieces: Buffer[] = [];
  #openBytes = 0;
  #refused: 'too_long' | 'no_room' | undefined;
  #room: Disposable | undefined;
  readonly #rooms = new Set<Disposable>();
  #number = 0;

  constructor(options: LineSplitterOptions) {
    super({ readableObjectMode: true, readableHighWaterMark: 1 });
    this.#options = options;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(lineBreak, start);
      if (end === -1) break;
      this.#add(chunk.subarray(start, end));
      this.#emitLine();
      start = end + 1;
    }
    this.#add(chunk.subarray(start));
    const needsRoom = this.#openBytes > longLineBytes && this.#room === undefined;
    if (!needsRoom || this.#refused !== undefined) callback();
    else void this.#takeRoom(callback);
  }

  override _flush(callback: TransformCallback): void {
    if (this.#openBytes > 0) this.#emitLine();
    callback();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#gone.abort();
    for (const room of this.#rooms) room[Symbol.dispose]();
    callback(error);
  }

  async #takeRoom(callback: TransformCallback): Promise<void> {
    const signal = AbortSignal.any([this.#gone.signal, AbortSignal.timeout(roomWaitMs)]);
    const room = await this.#options.takeRoom(signal);
    if (room === undefined) this.#refuse('no_room');
    else if (this.destroyed) room[Symbol.dispose]();
    else {
      this.#room = room;
      this.#rooms.add(room);
    }
    callback();
  }

  #add(bytes: Buffer): void {
    this.#openBytes += bytes.length;
    if (this.#openBytes > this.#options.maxLineBytes) this.#refuse('too_long');
    if (this.#refused !== undefined) return;
    this.#pieces.push(bytes);
    if (this.#pieces.length >= maxPieces) this.#joinPieces();
  }

  #joinPieces(): void {
    this.#open.push(Buffer.concat(this.#pieces));
    this.#pieces = [];
  }

  #refuse(reason: 'too_long' | 'no_room'): void {
    this.#refused ??= reason;
    this.#open = [];
    this.#pieces = [];
  }

  #emitLine(): void {
    this.#number += 1;
    const number = this.#number;
    const line: BodyLine =
      this.#refused === undefined
        ? { number, bytes: Buffer.concat([...this.#open, ...this.#pieces]) }
        : { number, refused: this.#refused };
    const split: SplitLine = { line, room: this.#room };
    this.#open = [];
    this.#pieces = [];
    this.#openBytes = 0;
    this.#refused = undefined;
    this.#room = undefined;
    if ('refused' in line || !isBlank(line.bytes)) this.push(split);
    else split.room?.[Symbol.dispose]();
  }
}

const isBlank = (bytes: Buffer): boolean =>
  bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
