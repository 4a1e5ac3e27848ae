import { parseJson } from '../../http/answer-body.ts';
import type { SocketMessage } from '../../http/socket/socket-queue.ts';

/**
 * Input that the daemon may hold for a command. It holds up to 1 MiB, then it reads the connection
 * no further, and signals would wait behind the input.
 */
const windowBytes = 512 * 1024;
/** Longer messages are output. */
const longestNotice = 1000;
/** Errors of what was sent to a command, which do not say how it ends. */
const aboutInput = new Set<unknown>(['stdin_closed', 'command_ended', 'command_not_found']);

/** How much input is on its way to a command that has not taken it. */
export class InputWindow {
  #sent = 0;
  #taken = 0;
  #closed = false;
  #wake: (() => void) | undefined;

  /** True when nothing more is taken. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Resolves when there is room, or the input is closed. */
  async room(): Promise<void> {
    while (this.#sent - this.#taken >= windowBytes && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  sent(bytes: number): void {
    this.#sent += bytes;
  }

  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  /** Reads what a message tells about it. @returns true when it tells nothing else */
  hear(message: SocketMessage): boolean {
    if (typeof message !== 'string' || message.length > longestNotice) return false;
    const body = new Map<string, unknown>(Object.entries(Object(parseJson(message))));
    const taken = body.get('taken');
    if (typeof taken === 'number') {
      this.#taken = taken;
      this.#wake?.();
      return true;
    }
    if (!body.has('error') && !body.has('exit')) return false;
    this.close();
    return aboutInput.has(body.get('code'));
  }
}
