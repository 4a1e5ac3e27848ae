import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { decodeExit, decodeStartFailure, type InitCommandExit } from './command-end.ts';
import { encodeFrame, type Frame } from './frames.ts';
import type { InitError } from './init-error.ts';
import { OutputStream } from './output-stream.ts';
import { StdinStream } from './stdin-stream.ts';
import { encodeTerminalSize, type InitCommandSpec, type TerminalSize } from './start-payload.ts';
import { FromInit, ToInit } from './wire.ts';

/** A command that runs. */
export interface InitCommand {
  /** Process id inside the sandbox. */
  readonly pid: number;
  /** Must be read or destroyed. */
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Present when the spec asked for it. */
  readonly stdin?: Writable;
  /**
   * Resolves when the command has ended and the streams have got all that it wrote.
   * Rejects with InitError `unresponsive`, `disconnected` or `protocol`.
   */
  readonly exit: Promise<InitCommandExit>;
  /** To the process group. No error when it has ended. */
  kill(signal: NodeJS.Signals): void;
  /** Of its terminal. Without effect when it has none, or has ended. */
  resize(size: TerminalSize): void;
}

/** What a frame meant for the command. */
export type Received = 'ok' | 'over' | { readonly violation: string };

/** The daemon's side of one command, from START to EXIT. */
export class RunningCommand {
  readonly id: number;
  readonly started: Promise<InitCommand>;
  readonly #send: (frame: Buffer) => void;
  readonly #stdout: OutputStream;
  readonly #stderr: OutputStream;
  readonly #stdin: StdinStream | undefined;
  readonly #hasTerminal: boolean;
  readonly #exit: Promise<InitCommandExit>;
  #resolveStarted: (command: InitCommand) => void = () => {};
  #rejectStarted: (error: InitError) => void = () => {};
  #resolveExit: (exit: InitCommandExit) => void = () => {};
  #rejectExit: (error: InitError) => void = () => {};
  #state: 'starting' | 'running' | 'ended' = 'starting';
  #settled = false;

  constructor(
    id: number,
    { stdin, terminal }: Pick<InitCommandSpec, 'stdin' | 'terminal'>,
    send: (frame: Buffer) => void,
  ) {
    this.id = id;
    this.#send = send;
    this.#stdout = new OutputStream((bytes) => this.#grant(1, bytes));
    this.#stderr = new OutputStream((bytes) => this.#grant(2, bytes));
    this.#hasTerminal = terminal !== undefined;
    if (stdin === true || this.#hasTerminal) {
      this.#stdin = new StdinStream({
        data: (bytes) => this.#sendWhileRunning(ToInit.stdin, bytes),
        end: () => this.#sendWhileRunning(ToInit.stdinClose),
      });
    }
    this.started = new Promise((resolve, reject) => {
      this.#resolveStarted = resolve;
      this.#rejectStarted = reject;
    });
    this.#exit = new Promise((resolve, reject) => {
      this.#resolveExit = resolve;
      this.#rejectExit = reject;
    });
    // Who only reads the streams need not look at the promises.
    this.started.catch(() => {});
    this.#exit.catch(() => {});
  }

  /** False until the init has said that the program runs, or why not. */
  get hasStarted(): boolean {
    return this.#state !== 'starting';
  }

  /** True when its owner has got an exit or an error. */
  get settled(): boolean {
    return this.#settled;
  }

  receive({ type, payload }: Frame): Received {
    if (this.#state === 'starting') {
      if (type === FromInit.started && payload.length === 4) {
        return this.#onStarted(payload.readUInt32LE(0));
      }
      if (type === FromInit.startFailed && payload.length === 5) {
        return this.#onStartFailed(payload);
      }
      return { violation: `frame ${type} before the command started` };
    }
    switch (type) {
      case FromInit.stdout:
        return this.#stdout.receive(payload) ? 'ok' : { violation: 'stdout beyond its credit' };
      case FromInit.stderr:
        return this.#stderr.receive(payload) ? 'ok' : { violation: 'stderr beyond its credit' };
      case FromInit.stdinCredit:
        return payload.length === 4 && this.#stdin?.grant(payload.readUInt32LE(0)) === true
          ? 'ok'
          : { violation: 'stdin credit out of order' };
      case FromInit.exit:
        return payload.length === 3 ? this.#onExit(payload) : { violation: 'malformed exit' };
      default:
        return { violation: `frame ${type} while the command runs` };
    }
  }

  /** Its owner gets the error; what the command still writes goes nowhere. */
  fail(error: InitError): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#rejectStarted(error);
    this.#rejectExit(error);
    this.#stdout.destroy(error);
    this.#stderr.destroy(error);
    this.#stdin?.destroy(error);
  }

  kill(signal: NodeJS.Signals): void {
    if (this.#state !== 'ended') {
      this.#send(encodeFrame(ToInit.kill, this.id, Buffer.from([constants.signals[signal]])));
    }
  }

  #onStarted(pid: number): Received {
    this.#state = 'running';
    this.#resolveStarted({
      pid,
      stdout: this.#stdout,
      stderr: this.#stderr,
      ...(this.#stdin === undefined ? {} : { stdin: this.#stdin }),
      exit: this.#exit,
      kill: (signal) => this.kill(signal),
      resize: (size) => {
        if (this.#hasTerminal) this.#sendWhileRunning(ToInit.resize, encodeTerminalSize(size));
      },
    });
    return 'ok';
  }

  #onStartFailed(payload: Buffer): Received {
    this.#state = 'ended';
    const error = decodeStartFailure(payload);
    if (error === undefined) return { violation: 'a start failed in an unknown step' };
    this.fail(error);
    return 'over';
  }

  #onExit(payload: Buffer): Received {
    this.#state = 'ended';
    this.#stdout.finish();
    this.#stderr.finish();
    if (this.#stdin?.writableFinished === false) this.#stdin.destroy();
    this.#settled = true;
    this.#resolveExit(decodeExit(payload));
    return 'over';
  }

  #grant(stream: 1 | 2, bytes: number): void {
    const payload = Buffer.allocUnsafe(5);
    payload.writeUInt8(stream, 0);
    payload.writeUInt32LE(bytes, 1);
    this.#sendWhileRunning(ToInit.credit, payload);
  }

  #sendWhileRunning(type: number, payload?: Buffer): void {
    if (this.#state !== 'ended') this.#send(encodeFrame(type, this.id, payload));
  }
}
