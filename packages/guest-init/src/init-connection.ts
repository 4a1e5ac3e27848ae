import type { Socket } from 'node:net';
import { encodeFrame, type Frame, FrameReader } from './frames.ts';
import { InitError } from './init-error.ts';
import type { KeptOwner } from './kept/kept-owner.ts';
import type { KeptProcess } from './kept/kept-process.ts';
import type { KeptProcesses } from './kept/kept-processes.ts';
import { KeptSession } from './kept/kept-session.ts';
import { Outbox } from './outbox.ts';
import { Pinger } from './pinger.ts';
import type { PortStream } from './port-stream.ts';
import { PortStreams } from './port-streams.ts';
import { type InitCommand, type Received, RunningCommand } from './running-command.ts';
import { orAfter, Suspension } from './suspension.ts';
import { encodeStart, type InitCommandSpec } from './start-payload.ts';
import { FRAME_MAX_BYTES, FromInit, KEPT_ID_FIRST, ToInit } from './wire.ts';

/** From START to the answer. */
const START_TIMEOUT_MS = 10_000;
/** Commands on one connection, those included that nobody waits for any more. */
const COMMANDS_MAX = 4096;
/** An init with so much unread input gets no further commands. */
const UNSENT_MAX_BYTES = 8 * FRAME_MAX_BYTES;
/** Log lines of one connection that are passed on. */
const LOG_FRAMES_MAX = 1000;
const LOG_TEXT_MAX = 4096;
const REASON_MAX_BYTES = 512;

export interface InitConnectionOptions {
  /** Where the init can keep commands: those of the sandbox. */
  readonly kept?: KeptProcesses | undefined;
  readonly onLog: (text: string) => void;
  /** Called once, after every command has been failed. */
  readonly onClose: () => void;
}

/**
 * One authenticated connection to an init. All that comes from it is untrusted. While it is
 * suspended it has no socket: its commands wait, and so do frames for them.
 */
export class InitConnection {
  #socket: Socket;
  readonly #options: InitConnectionOptions;
  #reader = new FrameReader(FRAME_MAX_BYTES);
  readonly #commands = new Map<number, RunningCommand>();
  readonly #ports = new PortStreams((frame) => this.#send(frame));
  readonly #pinger: Pinger;
  #tasks: number | undefined;
  #unsettled = 0;
  #lastId = 0;
  #logFrames = 0;
  #closed = false;
  #suspension: Suspension | undefined;
  readonly #outbox: Outbox;
  #quiet = false;
  /** Until the socket is suspended, or closed. */
  #kept: KeptSession | undefined;

  constructor(socket: Socket, options: InitConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#outbox = new Outbox(socket, () =>
      this.close(new InitError('unresponsive', 'too much waits for a suspended init')),
    );
    this.#pinger = new Pinger(
      (value) => {
        const payload = Buffer.allocUnsafe(8);
        payload.writeBigUInt64LE(value, 0);
        this.#send(encodeFrame(ToInit.ping, 0, payload));
      },
      () => this.#onSilent(),
    );
    this.#kept = this.#keptSession();
    this.#listenTo(socket);
  }

  /**
   * Resolves when the init has sent everything and has closed its end. What commands are sent from
   * the call on waits for {@link resume}.
   * @throws InitError `not_suspended`: all goes on; `unresponsive`, or why the connection ended
   * meanwhile: it is closed then
   */
  async suspend(timeoutMs: number): Promise<void> {
    const suspension = new Suspension();
    if (!this.#closed) this.#outbox.hold(encodeFrame(ToInit.suspend, 0));
    this.#suspension = suspension;
    this.#ports.suspend();
    this.#kept?.hold();
    this.setQuiet(true);
    const timer = setTimeout(
      () => this.close(new InitError('unresponsive', 'the init did not suspend its work')),
      timeoutMs,
    );
    try {
      if (this.#closed) throw new InitError('disconnected', 'the init is not connected');
      await suspension.done;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Goes on over the socket of an init that says it is suspended, and that was welcomed so. */
  resume(socket: Socket): void {
    const suspension = this.#suspension;
    this.#suspension = undefined;
    this.#socket = socket;
    this.#reader = new FrameReader(FRAME_MAX_BYTES);
    this.#kept = this.#keptSession();
    this.#listenTo(socket);
    this.#outbox.use(socket);
    this.#outbox.release();
    this.setQuiet(false);
    suspension?.end();
  }

  /** While it is quiet, an init that does not answer is not held against it. */
  setQuiet(quiet: boolean): void {
    this.#quiet = quiet;
    if (quiet || !this.#inUse) this.#pinger.unwatch();
    else this.#pinger.watch();
  }

  /** Tells the init's memory guard a new limit. */
  setMemoryLimit(memoryBytes: number): void {
    const payload = Buffer.alloc(8);
    payload.writeBigUInt64LE(BigInt(memoryBytes), 0);
    this.#send(encodeFrame(ToInit.limits, 0, payload));
  }

  /** @throws InitError `not_started`, `unresponsive`, or why the connection ended meanwhile */
  async start(spec: InitCommandSpec): Promise<InitCommand> {
    const payload = encodeStart(spec);
    if (this.#outbox.unsentBytes > UNSENT_MAX_BYTES || this.#commands.size >= COMMANDS_MAX) {
      throw new InitError('unresponsive', 'the init does not take more commands');
    }
    const command = new RunningCommand(this.#nextId(), spec, (frame) => this.#send(frame));
    this.#commands.set(command.id, command);
    this.#unsettled += 1;
    const timer = setInterval(() => this.#onStartTimeout(command), START_TIMEOUT_MS);
    this.#send(encodeFrame(ToInit.start, command.id, payload));
    try {
      return await command.started;
    } finally {
      clearInterval(timer);
    }
  }

  /**
   * As {@link start}, for a command that outlives the connection.
   * @throws InitError also `outdated`
   */
  async keep(spec: InitCommandSpec, owner: KeptOwner): Promise<KeptProcess> {
    if (this.#options.kept === undefined)
      throw new InitError('outdated', 'an init of an earlier release keeps no commands');
    let kept = await this.#listedKept(START_TIMEOUT_MS);
    while (kept !== this.#kept || this.#suspension !== undefined)
      kept = await this.#listedKept(START_TIMEOUT_MS);
    const session = kept;
    const id = this.#nextId();
    const timer = setInterval(() => {
      if (!this.#quiet) session.abandon(id, notStartedInTime());
    }, START_TIMEOUT_MS);
    try {
      return await session.start(id, spec, owner);
    } finally {
      clearInterval(timer);
    }
  }

  /** @throws InitError `not_connected`, or why the connection ended meanwhile */
  async connect(port: number): Promise<PortStream> {
    const connecting = this.#ports.open(this.#nextId(), port);
    this.setQuiet(this.#quiet);
    return connecting;
  }

  /** As {@link InitChannel.whenListed}. */
  async whenListed(timeoutMs: number): Promise<void> {
    if (this.#options.kept !== undefined) await this.#listedKept(timeoutMs);
  }

  /** As {@link InitChannel.tasks}. */
  get tasks(): number | undefined {
    return this.#tasks;
  }

  ping(timeoutMs: number): Promise<number> {
    return this.#pinger.ping(timeoutMs);
  }

  /** Drops the connection; every command gets the error. Idempotent. */
  close(error: InitError): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#pinger.close(error);
    this.#socket.destroy();
    this.#outbox.discard();
    this.#suspension?.reject(error);
    this.#suspension?.end();
    this.#closeKept(error);
    for (const command of this.#commands.values()) command.fail(error);
    this.#commands.clear();
    this.#ports.forgetAll(error);
    this.#options.onClose();
  }

  #nextId(): number {
    do {
      this.#lastId = (this.#lastId + 1) % KEPT_ID_FIRST;
    } while (
      this.#lastId === 0 ||
      this.#kept?.has(this.#lastId) === true ||
      this.#commands.has(this.#lastId) ||
      this.#ports.has(this.#lastId)
    );
    return this.#lastId;
  }

  #keptSession(): KeptSession | undefined {
    const { kept } = this.#options;
    return kept && new KeptSession({ processes: kept, send: (frame) => this.#send(frame) });
  }

  /** The kept commands of a connection that is not suspended, once the init has told of them. */
  async #listedKept(timeoutMs: number): Promise<KeptSession> {
    const deadlineMs = performance.now() + timeoutMs;
    const late = () => new InitError('unresponsive', 'the init does not tell what it keeps');
    await orAfter(timeoutMs, this.#suspension?.over ?? Promise.resolve(), late);
    if (this.#kept === undefined) throw new InitError('disconnected', 'the init is not connected');
    const kept = this.#kept;
    await orAfter(deadlineMs - performance.now(), kept.listed, late);
    return kept;
  }

  #closeKept(error: InitError): void {
    const kept = this.#kept;
    this.#kept = undefined;
    kept?.close(error);
  }

  #listenTo(socket: Socket): void {
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('error', () => {});
    socket.on('close', () => {
      if (socket === this.#socket) this.#onSocketClosed();
    });
  }

  #onSocketClosed(): void {
    if (this.#suspension?.confirmed === true) this.#suspension.resolve();
    else this.close(new InitError('disconnected', 'the init disconnected'));
  }

  #send(frame: Buffer): void {
    if (!this.#closed) this.#outbox.send(frame);
  }

  #onData(chunk: Buffer): void {
    try {
      for (const frame of this.#reader.read(chunk)) {
        if (this.#closed) return;
        const violation = this.#onFrame(frame);
        if (violation !== undefined) return this.#onViolation(violation);
      }
    } catch (error) {
      this.#onViolation(error instanceof Error ? error.message : String(error));
    }
  }

  /** Returns what is wrong with the frame. */
  #onFrame(frame: Frame): string | undefined {
    if (this.#suspension?.confirmed === true) return 'a frame after its suspension';
    switch (frame.type) {
      case FromInit.suspended:
        if (this.#suspension === undefined || frame.payload.length > 0)
          return 'a suspension that nobody asked for';
        this.#suspension.confirmed = true;
        this.#closeKept(new InitError('disconnected', 'the init was suspended'));
        this.#ports.suspended(new InitError('disconnected', 'the sandbox was suspended'));
        return undefined;
      case FromInit.notSuspended:
        return this.#onNotSuspended(frame.payload);
      case FromInit.pong:
        return this.#onPong(frame.payload);
      case FromInit.log:
        this.#onLog(frame.payload);
        return undefined;
      default:
        return this.#onCommandFrame(frame);
    }
  }

  #onPong(payload: Buffer): string | undefined {
    const hasTasks = payload.length === 12;
    if ((!hasTasks && payload.length !== 8) || !this.#pinger.pong(payload.readBigUInt64LE(0)))
      return 'an answer to no ping';
    if (hasTasks) this.#tasks = payload.readUInt32LE(8);
    return undefined;
  }

  #onCommandFrame(frame: Frame): string | undefined {
    const command = this.#commands.get(frame.id);
    if (command === undefined) {
      const violation = this.#kept?.receive(frame);
      return violation === null || this.#kept === undefined ? this.#onPortFrame(frame) : violation;
    }
    const settledBefore = command.settled;
    const startedBefore = command.hasStarted;
    const received = command.receive(frame);
    if (typeof received === 'object') return received.violation;
    if (received === 'over') {
      this.#commands.delete(command.id);
      if (!settledBefore) this.#onSettled();
    } else if (!startedBefore && command.hasStarted && !settledBefore) {
      this.setQuiet(this.#quiet);
    }
    return undefined;
  }

  #onPortFrame(frame: Frame): string | undefined {
    const received: Received | undefined = this.#ports.receive(frame);
    if (received === undefined) return `frame ${frame.type} for unknown id ${frame.id}`;
    if (typeof received === 'object') return received.violation;
    if (received === 'over') this.#unwatchUnused();
    return undefined;
  }

  #onNotSuspended(payload: Buffer): string | undefined {
    const suspension = this.#suspension;
    if (suspension === undefined) return 'an answer to no suspension';
    this.#suspension = undefined;
    this.#ports.suspended();
    this.#kept?.proceed();
    this.#outbox.release();
    this.setQuiet(false);
    const reason = payload.subarray(0, REASON_MAX_BYTES).toString('utf8');
    suspension.reject(new InitError('not_suspended', reason));
    suspension.end();
    return undefined;
  }

  #onLog(payload: Buffer): void {
    this.#logFrames += 1;
    if (this.#logFrames > LOG_FRAMES_MAX) return;
    const text = payload.subarray(0, LOG_TEXT_MAX).toString('utf8').trimEnd();
    for (const line of text.split('\n')) this.#options.onLog(line);
    if (this.#logFrames === LOG_FRAMES_MAX) {
      this.#options.onLog('too many log lines: the rest is dropped');
    }
  }

  #onSettled(): void {
    this.#unsettled -= 1;
    this.#unwatchUnused();
  }

  /** Somebody waits for what the init says. */
  get #inUse(): boolean {
    return this.#unsettled > 0 || this.#ports.size > 0;
  }

  #unwatchUnused(): void {
    if (!this.#inUse) this.#pinger.unwatch();
  }

  #onViolation(reason: string): void {
    this.#options.onLog(`connection to the init dropped: ${reason}`);
    this.close(new InitError('protocol', `the init broke the protocol: ${reason}`));
  }

  #onStartTimeout(command: RunningCommand): void {
    if (command.hasStarted || command.settled || this.#quiet) return;
    command.kill('SIGKILL');
    command.fail(notStartedInTime());
    this.#onSettled();
  }

  #onSilent(): void {
    for (const command of this.#commands.values()) {
      if (command.settled || !command.hasStarted) continue;
      command.fail(new InitError('unresponsive', 'the init does not answer'));
      this.#unsettled -= 1;
    }
    this.#ports.failAll(new InitError('unresponsive', 'the init does not answer'));
  }
}

const notStartedInTime = (): InitError =>
  new InitError('unresponsive', `the init did not start it within ${START_TIMEOUT_MS} ms`);
