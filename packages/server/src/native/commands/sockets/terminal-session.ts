import { SandportFault, terminalMessageSchema } from '@sandport/protocol';
import type { RawData, WebSocket } from 'ws';
import { check } from '../../../http/read-json.ts';
import { asBuffer } from '../../../http/web-socket/as-buffer.ts';
import { clientListens } from '../../../http/web-socket/client-listens.ts';
import { ReadGate } from '../../../http/web-socket/read-gate.ts';
import { send } from '../../../http/web-socket/send.ts';
import { faultBody, type OnUnexpected } from './fault-body.ts';
import type { Target } from './target.ts';

/** Input that may wait before the connection is not read any more. */
const maxWaitingBytes = 256 * 1024;
/** What a message that waits counts for beside its bytes. */
const messageCost = 128;

/** A terminal at the other end of a WebSocket. */
export class TerminalSession {
  readonly #webSocket: WebSocket;
  readonly #target: Target;
  readonly #onUnexpected: OnUnexpected;
  #input: Promise<void> = Promise.resolve();
  #waitingBytes = 0;
  readonly #gate: ReadGate;

  constructor(webSocket: WebSocket, target: Target, onUnexpected: OnUnexpected) {
    this.#webSocket = webSocket;
    this.#target = target;
    this.#onUnexpected = onUnexpected;
    this.#gate = new ReadGate(webSocket);
    webSocket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    void this.#run();
  }

  #receive(data: RawData, isBinary: boolean): void {
    const bytes = asBuffer(data);
    if (isBinary) this.#write(bytes);
    else this.#attempt(() => this.#tell(bytes));
  }

  #tell(text: Buffer): Promise<void> | void {
    const { resize, stdin, signal } = check(terminalMessageSchema, parse(text));
    if (resize !== undefined) return this.#target.resize(resize);
    if (signal !== undefined) return this.#target.signal(signal);
    if (stdin !== undefined) this.#write(Buffer.from(stdin));
  }

  #write(bytes: Buffer): void {
    const cost = bytes.length + messageCost;
    this.#wait(cost);
    this.#input = this.#input
      .then(() => this.#target.write(bytes))
      .catch((error: unknown) => this.#refuse(error))
      .finally(() => this.#wait(-cost));
  }

  /** Clients that give more than the terminal takes are not read until it does. */
  #wait(bytes: number): void {
    this.#waitingBytes += bytes;
    this.#gate.set(this, this.#waitingBytes > maxWaitingBytes);
  }

  #attempt(work: () => Promise<void> | void): void {
    new Promise<void>((resolve) => resolve(work())).catch((error: unknown) => this.#refuse(error));
  }

  #refuse(error: unknown): void {
    void this.#gate.until(send(this.#webSocket, faultBody(error, this.#onUnexpected)));
  }

  async #run(): Promise<void> {
    await clientListens(this.#webSocket);
    const { commandId } = this.#target;
    if (commandId !== undefined) void send(this.#webSocket, { command_id: commandId });
    try {
      const { exit_code: exit, ...rest } = await this.#target.follow((_stream, bytes) =>
        send(this.#webSocket, bytes),
      );
      await send(this.#webSocket, { exit, ...rest });
    } catch (error) {
      if (this.#webSocket.readyState === this.#webSocket.OPEN) this.#refuse(error);
    }
    this.#webSocket.close(1000);
  }
}

function parse(text: Buffer): unknown {
  try {
    return JSON.parse(text.toString());
  } catch {
    throw new SandportFault('invalid_request', 'The message is not valid JSON.', {
      field: 'message',
    });
  }
}
