import type { Socket } from 'node:net';
import type { ServerChannel } from 'ssh2';
import { whenClosed } from '../library/channel-end.ts';

/** Channels that one connection may have at a time. */
export const maxChannels = 64;

/** Bytes of one connection that may wait in each direction. */
const maxWaitingBytes = 8 * 1024 * 1024;

/** How often it is looked whether a connection can be read on, in milliseconds. */
const lookAgainMs = 25;

/**
 * The channels of one connection. While too much waits for sandboxes that do not take it, or for a
 * client that does not, nothing more is read from that client.
 */
export class OpenChannels {
  readonly #socket: Socket;
  readonly #held = new Set<ServerChannel>();
  #count = 0;
  #isHeldBack = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setMaxListeners(0);
    socket.on('data', () => this.#holdBack());
  }

  /** A place for one more; undefined when there is none. To be disposed of when the channel closes. */
  take(): Disposable | undefined {
    if (this.#count >= maxChannels) return undefined;
    this.#count += 1;
    let isTaken = true;
    return {
      [Symbol.dispose]: () => {
        if (isTaken) this.#count -= 1;
        isTaken = false;
      },
    };
  }

  /** Counts what waits in a channel. @returns a signal that aborts when the channel has closed */
  hold(channel: ServerChannel): AbortSignal {
    this.#held.add(channel);
    const closed = whenClosed(channel);
    closed.addEventListener('abort', () => this.#held.delete(channel), { once: true });
    return closed;
  }

  #holdBack(): void {
    if (this.#isHeldBack || !this.#isTooMuch()) return;
    this.#isHeldBack = true;
    this.#socket.pause();
    const timer = setInterval(() => {
      if (this.#isTooMuch() && !this.#socket.destroyed) return;
      clearInterval(timer);
      this.#isHeldBack = false;
      this.#socket.resume();
    }, lookAgainMs);
    timer.unref();
  }

  #isTooMuch(): boolean {
    if (this.#socket.writableLength > maxWaitingBytes) return true;
    let bytes = 0;
    for (const channel of this.#held) bytes += channel.readableLength;
    return bytes > maxWaitingBytes;
  }
}
