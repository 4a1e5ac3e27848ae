import type { Writable } from 'node:stream';
import { FRAME_MAX_BYTES, ToInit } from './wire.ts';

/** What one frame takes beside its bytes. */
const FRAME_COST_BYTES = 100;
/** Frames that wait for a suspended init. */
const WAITING_MAX_BYTES = 8 * FRAME_MAX_BYTES;
/** Signals and sizes that are sent all the same to an init that is behind. */
const UNTAKEN_MAX = 1000;

/**
 * The way of frames to the init. Signals and sizes, which clients may send without end, do not pile
 * up for an init that does not read, as that of a paused sandbox: of each command one of each
 * signal waits, and the last size.
 */
export class Outbox {
  readonly #onOverflow: () => void;
  #socket: Writable;
  #isHeld = false;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  readonly #latest = new Map<string, Buffer>();
  #untaken = 0;

  /** @param onOverflow called when too much waits for a suspended init */
  constructor(socket: Writable, onOverflow: () => void) {
    this.#onOverflow = onOverflow;
    this.#socket = socket;
    this.use(socket);
  }

  /** What the init has not taken and cannot be taken back. */
  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  /** Sends over this socket from here on. */
  use(socket: Writable): void {
    this.#socket = socket;
    this.#untaken = 0;
    socket.on('drain', () => {
      if (socket !== this.#socket) return;
      this.#untaken = 0;
      if (!this.#isHeld) this.#sendLatest();
    });
  }

  send(frame: Buffer): void {
    const key = replaceableAs(frame);
    if (key !== undefined && !this.#takesAnother()) {
      this.#latest.delete(key);
      this.#latest.set(key, frame);
    } else if (!this.#isHeld) {
      this.#socket.write(frame);
    } else if (this.#waitingBytes < WAITING_MAX_BYTES) {
      this.#waiting.push(frame);
      this.#waitingBytes += frame.length + FRAME_COST_BYTES;
    } else {
      this.#onOverflow();
    }
  }

  /** Sends this as the last frame; what is sent afterwards waits for {@link release}. */
  hold(last: Buffer): void {
    this.#sendLatest();
    this.#socket.write(last);
    this.#isHeld = true;
  }

  /** Sends what has waited. */
  release(): void {
    this.#isHeld = false;
    this.#waitingBytes = 0;
    for (const frame of this.#waiting.splice(0)) this.#socket.write(frame);
    this.#sendLatest();
  }

  /** Nothing is sent any more. */
  discard(): void {
    this.#waiting = [];
    this.#latest.clear();
  }

  #takesAnother(): boolean {
    if (this.#isHeld) return false;
    if (this.#socket.writableNeedDrain) this.#untaken += 1;
    return this.#untaken <= UNTAKEN_MAX;
  }

  #sendLatest(): void {
    const frames = [...this.#latest.values()];
    this.#latest.clear();
    for (const frame of frames) this.#socket.write(frame);
  }
}

/** What a later frame takes the place of; undefined when each of them counts. */
function replaceableAs(frame: Buffer): string | undefined {
  const type = frame.readUInt8(4);
  const id = frame.readUInt32LE(5);
  if (type === ToInit.resize) return `${type} ${id}`;
  return type === ToInit.kill ? `${type} ${id} ${frame.readUInt8(9)}` : undefined;
}
