import { once } from 'node:events';
import type { Sandbox } from 'sandport';
import { WebSocket } from 'ws';
import type { Subject } from '../subject.ts';

/** A terminal over a WebSocket, in which `cat` runs: what the terminal itself gives back is the key. */
export class KeyEcho implements Disposable {
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  static async open(subject: Subject, sandbox: Sandbox): Promise<KeyEcho> {
    const path = `/v1/sandboxes/${sandbox.id}/exec/pty?cmd=${encodeURIComponent('stty raw echo; echo ready; exec cat > /dev/null')}`;
    const headers = { Authorization: `Bearer ${subject.apiKey}` };
    const socket = new WebSocket(subject.url.replace('http', 'ws') + path, { headers });
    await once(socket, 'message');
    return new KeyEcho(socket);
  }

  /** Milliseconds from a key to its sight. */
  async press(): Promise<number> {
    const startedAt = performance.now();
    const seen = once(this.#socket, 'message');
    this.#socket.send(Buffer.from('k'));
    await seen;
    return performance.now() - startedAt;
  }

  [Symbol.dispose](): void {
    this.#socket.terminate();
  }
}
