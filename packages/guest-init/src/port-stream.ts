import { Duplex } from 'node:stream';
import { encodeFrame, type Frame } from './frames.ts';
import { errnoName, InitError } from './init-error.ts';
import { ReceiveWindow } from './receive-window.ts';
import type { Received } from './running-command.ts';
import { SendWindow } from './send-window.ts';
import { FromInit, PORT_WINDOW_BYTES, ToInit } from './wire.ts';

/** A TCP connection that the init holds inside the sandbox, from CONNECT to CLOSED. */
export class PortStream extends Duplex {
  readonly id: number;
  /** Resolves to this when the port has accepted. */
  readonly connected: Promise<PortStream>;
  readonly #send: (frame: Buffer) => void;
  readonly #incoming: ReceiveWindow;
  readonly #outgoing: SendWindow;
  #resolveConnected: (stream: PortStream) => void = () => {};
  #rejectConnected: (error: Error) => void = () => {};
  #bytesRead = 0;
  #bytesWritten = 0;
  #state: 'connecting' | 'open' | 'over' = 'connecting';

  constructor(id: number, send: (frame: Buffer) => void) {
    super({
      allowHalfOpen: true,
      readableHighWaterMark: 16 * 1024,
      writableHighWaterMark: PORT_WINDOW_BYTES,
    });
    this.id = id;
    this.#send = send;
    this.#incoming = new ReceiveWindow({
      grant: (bytes) => this.#grant(bytes),
      push: (chunk) => {
        this.#bytesRead += chunk?.length ?? 0;
        return this.push(chunk);
      },
    });
    this.#outgoing = new SendWindow(PORT_WINDOW_BYTES, (bytes) => {
      this.#bytesWritten += bytes.length;
      this.#sendWhileOpen(ToInit.stdin, bytes);
    });
    this.connected = new Promise((resolve, reject) => {
      this.#resolveConnected = resolve;
      this.#rejectConnected = reject;
    });
    this.connected.catch(() => {});
    // An error before its owner listens must not end the process.
    this.on('error', () => {});
  }

  get connecting(): boolean {
    return this.#state === 'connecting';
  }

  /** Handed to the reader. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** Sent to the init. */
  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  receive({ type, payload }: Frame): Received {
    if (this.#state === 'connecting') {
      if (type === FromInit.connected && payload.length === 0) return this.#onConnected();
      if (type === FromInit.connectFailed && payload.length === 4)
        return this.#onOver(InitError.notConnected(payload.readInt32LE(0)));
    }
    if (type === FromInit.closed && payload.length === 4)
      return this.#onClosed(payload.readInt32LE(0));
    if (this.#state === 'connecting') return { violation: `frame ${type} before a connection` };
    switch (type) {
      case FromInit.stdout:
        return this.#incoming.receive(payload) ? 'ok' : { violation: 'data beyond its credit' };
      case FromInit.streamEnd:
        return payload.length === 0 && this.#incoming.finish()
          ? 'ok'
          : { violation: 'an end out of order' };
      case FromInit.stdinCredit:
        return payload.length === 4 && this.#outgoing.grant(payload.readUInt32LE(0))
          ? 'ok'
          : { violation: 'credit out of order' };
      default:
        return { violation: `frame ${type} of a connection` };
    }
  }

  /** Breaks it; the init is told unless it has said the last word. */
  fail(error: Error): void {
    this.#rejectConnected(error);
    this.destroy(error);
  }

  /** Breaks it without a word to the init, which has forgotten it. */
  forget(error: Error): void {
    this.#state = 'over';
    this.fail(error);
  }

  override _read(): void {
    this.#incoming.want();
  }

  override _write(
    chunk: Buffer,
    _encoding: BufferEncoding,
    done: (error?: Error | null) => void,
  ): void {
    this.#outgoing.write(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#sendWhileOpen(ToInit.stdinClose);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#incoming.drop();
    this.#outgoing.drop(error ?? new Error('the connection was closed'));
    // What was written is still delivered when both directions ended as they should.
    const ended = error === null && this.writableFinished && this.readableEnded;
    if (this.#state !== 'over' && !ended) this.#send(encodeFrame(ToInit.close, this.id));
    this.#rejectConnected(error ?? new Error('the connection was closed'));
    done(error);
  }

  #onConnected(): Received {
    this.#state = 'open';
    this.#resolveConnected(this);
    return 'ok';
  }

  #onClosed(errno: number): Received {
    if (errno !== 0) return this.#onOver(connectionError(errno));
    this.#state = 'over';
    this.#rejectConnected(new InitError('disconnected', 'the connection was closed'));
    this.#incoming.finish();
    this.#outgoing.drop(connectionError(0));
    return 'over';
  }

  #onOver(error: Error): Received {
    this.#state = 'over';
    this.fail(error);
    return 'over';
  }

  #grant(bytes: number): void {
    const payload = Buffer.allocUnsafe(5);
    payload.writeUInt8(1, 0);
    payload.writeUInt32LE(bytes, 1);
    this.#sendWhileOpen(ToInit.credit, payload);
  }

  #sendWhileOpen(type: number, payload?: Buffer): void {
    if (this.#state === 'open') this.#send(encodeFrame(type, this.id, payload));
  }
}

/** As a socket of this machine would break. */
function connectionError(errno: number): NodeJS.ErrnoException {
  const code = errno === 0 ? 'ECONNRESET' : errnoName(errno);
  return Object.assign(new Error(`the connection to the port broke: ${code}`), { code });
}
