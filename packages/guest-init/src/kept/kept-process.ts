import { constants } from 'node:os';
import type { Writable } from 'node:stream';
import { decodeExit } from '../command-end.ts';
import { encodeFrame, type Frame } from '../frames.ts';
import { encodeTerminalSize, type TerminalSize } from '../start-payload.ts';
import { FromInit, OFFSET_MAX, OUTPUT_WINDOW_BYTES, STDIN_WINDOW_BYTES, ToInit } from '../wire.ts';
import type { KeptAnnouncement } from './announcement.ts';
import type { KeptOwner, KeptStreamIndex } from './kept-owner.ts';
import { KeptStdin } from './kept-stdin.ts';

/** Signals that wait for a connection; later ones replace nothing. */
const WAITING_SIGNALS_MAX = 16;

/** Number of the command on one connection, and the way there. */
export interface KeptWire {
  readonly id: number;
  readonly send: (frame: Buffer) => void;
  /** The number stands for the command no more. */
  readonly onForget: () => void;
}

const STREAMS = [0, 1] as const;

/** The daemon's side of one kept command: it outlives connections and channels. */
export class KeptProcess {
  readonly owner: KeptOwner;
  #wire: KeptWire | undefined;
  /** Nothing is sent for the moment: the connection is about to be suspended. */
  #held = false;
  #pid: number | undefined;
  #stdin: KeptStdin | undefined;
  /** Offset of what comes next. */
  readonly #received: [number, number];
  /** Offsets of what its owner holds for good: as it is, as the init was told, as the init said. */
  readonly #acknowledged: [number, number];
  readonly #told: [number, number] = [0, 0];
  readonly #announced: [number, number] = [0, 0];
  #signals: number[] = [];
  #size: TerminalSize | undefined;
  #ended = false;
  /** On this connection. */
  #exitCame = false;

  constructor(owner: KeptOwner) {
    this.owner = owner;
    this.#received = [...owner.received];
    this.#acknowledged = [...owner.received];
  }

  /** Process id inside the sandbox; undefined before the init has told it. */
  get pid(): number | undefined {
    return this.#pid;
  }

  /** Of one that was started with it; undefined before the init has told of it. */
  get stdin(): Writable | undefined {
    return this.#stdin;
  }

  get attached(): boolean {
    return this.#wire !== undefined;
  }

  /** The init need not hold what lies before this offset. */
  acknowledge(stream: KeptStreamIndex, offset: number): void {
    if (offset <= this.#acknowledged[stream]) return;
    this.#acknowledged[stream] = offset;
    this.#sendAcknowledged(stream);
  }

  kill(signal: NodeJS.Signals): void {
    if (this.#ended || this.#signals.length >= WAITING_SIGNALS_MAX) return;
    this.#signals.push(constants.signals[signal]);
    this.#sendSignals();
  }

  resize(size: TerminalSize): void {
    if (this.#ended) return;
    this.#size = size;
    this.#sendSize();
  }

  /** The init keeps it no more; what still runs goes on as if its connection had ended. */
  forget(): void {
    const wire = this.#wire;
    this.detach();
    this.#ended = true;
    this.#stdin?.destroy();
    wire?.send(encodeFrame(ToInit.forget, wire.id));
    wire?.onForget();
  }

  /** It was started on this connection. */
  begin(wire: KeptWire, pid: number, hasStdin: boolean, isTerminal: boolean): void {
    this.#wire = wire;
    this.#pid = pid;
    if (hasStdin) this.#attachStdin(wire, 0, STDIN_WINDOW_BYTES, true, isTerminal);
    this.owner.onAttached?.();
  }

  /** A new connection has it. Returns what is wrong with that. */
  attach(wire: KeptWire, said: KeptAnnouncement): string | undefined {
    for (const stream of STREAMS) {
      const acknowledged = said.acknowledged[stream];
      if (acknowledged > OFFSET_MAX || acknowledged < this.#announced[stream])
        return 'offsets of a kept command that go back';
      this.#announced[stream] = acknowledged;
      this.#told[stream] = acknowledged;
      this.#received[stream] = Math.max(this.#received[stream], acknowledged);
    }
    this.#wire = wire;
    this.#held = false;
    this.#exitCame = false;
    this.#pid = said.pid;
    const payload = Buffer.allocUnsafe(16);
    for (const stream of STREAMS)
      payload.writeBigUInt64LE(BigInt(this.#received[stream]), stream * 8);
    wire.send(encodeFrame(ToInit.resume, wire.id, payload));
    for (const stream of STREAMS) this.#sendAcknowledged(stream);
    this.#sendSize();
    const { taken, credit, hasStdin, hasTerminal } = said;
    if (
      ((hasStdin && !said.ended) || this.#stdin !== undefined) &&
      !this.#attachStdin(wire, taken, credit, hasStdin, hasTerminal)
    )
      return 'a stdin of a kept command that cannot be';
    this.#sendSignals();
    this.owner.onAttached?.();
    return undefined;
  }

  /** There is no connection any more. */
  detach(): void {
    this.#wire = undefined;
    this.#stdin?.detach();
  }

  /** Sends nothing until {@link proceed}, or until the next connection. */
  hold(): void {
    this.#held = true;
    this.#stdin?.hold();
  }

  proceed(): void {
    this.#held = false;
    for (const stream of STREAMS) this.#sendAcknowledged(stream);
    this.#sendSize();
    this.#stdin?.proceed();
    this.#sendSignals();
  }

  /** Returns what is wrong with the frame. */
  receive({ type, payload }: Frame): string | undefined {
    if (type === FromInit.stdout) return this.#onOutput(0, payload);
    if (type === FromInit.stderr) return this.#onOutput(1, payload);
    if (type === FromInit.stdinCredit) {
      if (payload.length !== 4) return 'malformed credit';
      if (this.#ended || this.#stdin === undefined) return undefined;
      return this.#stdin.grant(payload.readUInt32LE(0)) ? undefined : 'stdin credit out of order';
    }
    if (type !== FromInit.exit || payload.length !== 3 || this.#exitCame)
      return `frame ${type} of a kept command`;
    this.#ended = true;
    this.#exitCame = true;
    this.#stdin?.destroy();
    this.owner.onExit(decodeExit(payload));
    return undefined;
  }

  #onOutput(stream: KeptStreamIndex, bytes: Buffer): string | undefined {
    const offset = this.#received[stream];
    const end = offset + bytes.length;
    if (bytes.length === 0 || this.#exitCame || end - this.#told[stream] > OUTPUT_WINDOW_BYTES)
      return 'output of a kept command beyond its window';
    this.#received[stream] = end;
    this.owner.onOutput(stream, offset, bytes);
    return undefined;
  }

  #attachStdin(
    { send, id }: KeptWire,
    taken: number,
    credit: number,
    open: boolean,
    isTerminal: boolean,
  ): boolean {
    this.#stdin ??= new KeptStdin(taken);
    const sink = {
      data: (bytes: Buffer) => send(encodeFrame(ToInit.stdin, id, bytes)),
      end: () => {
        if (!isTerminal) send(encodeFrame(ToInit.stdinClose, id));
      },
    };
    return this.#stdin.attach(sink, { taken, credit, open });
  }

  #sendAcknowledged(stream: KeptStreamIndex): void {
    const wire = this.#wire;
    const bytes = this.#acknowledged[stream] - this.#told[stream];
    if (wire === undefined || this.#held || bytes <= 0) return;
    this.#told[stream] += bytes;
    const payload = Buffer.allocUnsafe(5);
    payload.writeUInt8(stream + 1, 0);
    payload.writeUInt32LE(bytes, 1);
    wire.send(encodeFrame(ToInit.credit, wire.id, payload));
  }

  #sendSize(): void {
    const wire = this.#wire;
    const size = this.#size;
    if (wire === undefined || this.#held || size === undefined) return;
    this.#size = undefined;
    wire.send(encodeFrame(ToInit.resize, wire.id, encodeTerminalSize(size)));
  }

  #sendSignals(): void {
    const wire = this.#wire;
    if (wire === undefined || this.#held) return;
    for (const signal of this.#signals.splice(0))
      wire.send(encodeFrame(ToInit.kill, wire.id, Buffer.from([signal])));
  }
}
