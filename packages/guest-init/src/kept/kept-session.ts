import { constants } from 'node:os';
import { decodeStartFailure } from '../command-end.ts';
import { encodeFrame, type Frame } from '../frames.ts';
import { InitError } from '../init-error.ts';
import { encodeStart, type InitCommandSpec } from '../start-payload.ts';
import { FromInit, KEPT_ID_FIRST, KEPT_MAX, ToInit } from '../wire.ts';
import { decodeAnnouncement } from './announcement.ts';
import type { KeptOwner } from './kept-owner.ts';
import type { KeptProcess } from './kept-process.ts';
import type { KeptProcesses } from './kept-processes.ts';

/** Commands that the init was told to forget, and has not answered for. */
const FORGOTTEN_MAX = 4096;

interface Starting {
  readonly process: KeptProcess;
  readonly spec: InitCommandSpec;
  readonly resolve: (process: KeptProcess) => void;
  readonly reject: (error: InitError) => void;
}

export interface KeptSessionOptions {
  readonly processes: KeptProcesses;
  readonly send: (frame: Buffer) => void;
}

/** Kept commands on one connection, from its begin to its end. All that comes is untrusted. */
export class KeptSession {
  /** Resolves when the init has told of all commands that it keeps. */
  readonly listed: Promise<void>;
  readonly #options: KeptSessionOptions;
  readonly #byId = new Map<number, KeptProcess>();
  readonly #starting = new Map<number, Starting>();
  readonly #forgotten = new Set<number>();
  readonly #seen = new Set<string>();
  #isListed = false;
  #isHeld = false;
  #resolveListed: () => void = () => {};
  #rejectListed: (error: InitError) => void = () => {};

  constructor(options: KeptSessionOptions) {
    this.#options = options;
    this.listed = new Promise((resolve, reject) => {
      this.#resolveListed = resolve;
      this.#rejectListed = reject;
    });
    this.listed.catch(() => {});
  }

  has(id: number): boolean {
    return this.#byId.has(id) || this.#starting.has(id) || this.#forgotten.has(id);
  }

  /** @throws InitError `not_started`, `disconnected` */
  start(id: number, spec: InitCommandSpec, owner: KeptOwner): Promise<KeptProcess> {
    const payload = encodeStart(spec, owner.key);
    if (this.#options.processes.find(owner.key) !== undefined)
      return Promise.reject(InitError.notStarted('request', constants.errno.EEXIST));
    const process = this.#options.processes.add(owner);
    return new Promise((resolve, reject) => {
      this.#starting.set(id, { process, spec, resolve, reject });
      this.#options.send(encodeFrame(ToInit.start, id, payload));
    });
  }

  /** Ends a start that nobody waits for any more. */
  abandon(id: number, error: InitError): void {
    const starting = this.#starting.get(id);
    if (starting === undefined) return;
    const kill = Buffer.from([constants.signals.SIGKILL]);
    this.#options.send(encodeFrame(ToInit.kill, id, kill));
    this.#failStart(id, starting, error);
    this.#forgotten.add(id);
    this.#options.send(encodeFrame(ToInit.forget, id));
  }

  /** Returns what is wrong with the frame; null when it is about nothing that is kept. */
  receive(frame: Frame): string | undefined | null {
    const { type, id, payload } = frame;
    if (type === FromInit.kept) return this.#onKept(id, payload);
    if (type === FromInit.keptEnd) return this.#onKeptEnd(frame);
    const process = this.#byId.get(id);
    if (process !== undefined) return process.receive(frame);
    const starting = this.#starting.get(id);
    if (starting !== undefined) return this.#onStarting(frame, starting);
    if (!this.#forgotten.has(id)) return null;
    // All others crossed the word that it is forgotten.
    if (type === FromInit.forgotten) this.#forgotten.delete(id);
    return undefined;
  }

  /** Nothing is sent for them until {@link proceed}; what comes is taken. */
  hold(): void {
    this.#isHeld = true;
    for (const process of this.#byId.values()) process.hold();
  }

  proceed(): void {
    this.#isHeld = false;
    for (const process of this.#byId.values()) process.proceed();
  }

  /** The connection has ended. */
  close(error: InitError): void {
    this.#rejectListed(error);
    for (const [id, starting] of [...this.#starting]) this.#failStart(id, starting, error);
    for (const process of this.#byId.values()) process.detach();
    this.#byId.clear();
  }

  #failStart(id: number, { process, reject }: Starting, error: InitError): void {
    this.#starting.delete(id);
    this.#options.processes.delete(process.owner.key);
    reject(error);
  }

  #onKept(id: number, payload: Buffer): string | undefined {
    const said = decodeAnnouncement(payload);
    if (said === undefined) return 'a malformed word of a kept command';
    if (this.#isListed || id < KEPT_ID_FIRST || this.has(id) || this.#seen.has(said.key))
      return 'a kept command out of order';
    if (this.#seen.size >= KEPT_MAX) return 'too many kept commands';
    this.#seen.add(said.key);
    const process = this.#options.processes.find(said.key);
    if (process === undefined || process.attached) {
      this.#endUnknown(id);
      return undefined;
    }
    this.#byId.set(id, process);
    return process.attach(this.#wire(id), said);
  }

  #onKeptEnd({ id, payload }: Frame): string | undefined {
    if (this.#isListed || id !== 0 || payload.length > 0) return 'a second list of kept commands';
    this.#isListed = true;
    for (const process of [...this.#options.processes])
      if (!process.attached && !this.#seen.has(process.owner.key)) {
        this.#options.processes.delete(process.owner.key);
        process.owner.onLost();
      }
    this.#seen.clear();
    this.#resolveListed();
    return undefined;
  }

  /** Nobody has started it, or nobody wants it any more. */
  #endUnknown(id: number): void {
    const { send } = this.#options;
    send(encodeFrame(ToInit.kill, id, Buffer.from([constants.signals.SIGKILL])));
    send(encodeFrame(ToInit.forget, id));
    this.#forgotten.add(id);
  }

  #onStarting({ id, type, payload }: Frame, starting: Starting): string | undefined {
    const { process, spec, resolve } = starting;
    if (type === FromInit.started && payload.length === 4) {
      this.#starting.delete(id);
      this.#byId.set(id, process);
      const hasTerminal = spec.terminal !== undefined;
      const hasStdin = spec.stdin === true || hasTerminal;
      if (this.#isHeld) process.hold();
      process.begin(this.#wire(id), payload.readUInt32LE(0), hasStdin, hasTerminal);
      resolve(process);
      return undefined;
    }
    const failure =
      type === FromInit.startFailed && payload.length === 5
        ? decodeStartFailure(payload)
        : undefined;
    if (failure === undefined) return `frame ${type} before a kept command started`;
    this.#failStart(id, starting, failure);
    return undefined;
  }

  #wire(id: number) {
    return {
      id,
      send: this.#options.send,
      onForget: () => {
        const key = this.#byId.get(id)?.owner.key;
        if (key !== undefined) this.#options.processes.delete(key);
        this.#byId.delete(id);
        if (this.#forgotten.size < FORGOTTEN_MAX) this.#forgotten.add(id);
      },
    };
  }
}
