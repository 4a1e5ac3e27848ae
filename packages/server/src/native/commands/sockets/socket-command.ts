import type { WakeOptions } from '@sandport/engine';
import type { SocketControl, SocketStart } from '@sandport/protocol';
import type { ReadGate } from '../../../http/web-socket/read-gate.ts';
import { textOf } from '../text-of.ts';
import { Utf8Chunks } from '../utf8-chunks.ts';
import type { ExecSessionOptions } from './exec-session.ts';
import { faultBody } from './fault-body.ts';
import { endTarget, KeptTarget, OpenTarget, type Target } from './target.ts';

/** Input that may wait before the connection is not read any more. */
const maxWaitingBytes = 1024 * 1024;
/** What a message that waits counts for beside its bytes. */
const messageCost = 128;

export interface SocketCommandOptions extends ExecSessionOptions {
  /** Sends a message with its id; resolves when there is room for more. */
  readonly send: (message: object) => Promise<void> | undefined;
  /** Aborts when the connection has ended. */
  readonly over: AbortSignal;
  /** Of the connection. */
  readonly gate: ReadGate;
  readonly onEnd: () => void;
}

/** One command of a connection: it is started, told what its client wants, and tells what it does. */
export class SocketCommand {
  readonly #request: SocketStart;
  readonly #options: SocketCommandOptions;
  readonly #target: Promise<Target>;
  readonly #ended: Promise<void>;
  #input: Promise<void> = Promise.resolve();
  /** Of input that it has not taken yet. */
  #waitingBytes = 0;
  #takenBytes = 0;
  #woke: 'memory' | 'disk' | undefined;

  constructor(request: SocketStart, options: SocketCommandOptions) {
    this.#request = request;
    this.#options = options;
    this.#target = this.#start();
    this.#ended = this.#run();
  }

  /** Input keeps its order; signals do not wait for it. */
  tell({ stdin, stdin_base64: base64, eof, signal, cancel }: SocketControl): void {
    if (stdin !== undefined) this.#write(Buffer.from(stdin));
    else if (base64 !== undefined) this.#write(Buffer.from(base64, 'base64'));
    else if (eof) this.#queueInput(0, (target) => target.endInput());
    else if (signal !== undefined) void this.#attempt((target) => target.signal(signal));
    else if (cancel) void this.#attempt((target) => endTarget(target, 'SIGTERM', this.#ended));
  }

  #write(bytes: Buffer): void {
    this.#queueInput(bytes.length, async (target) => {
      await target.write(bytes);
      this.#takenBytes += bytes.length;
      if (this.#request.verbose) await this.#options.send({ taken: this.#takenBytes });
    });
  }

  /** A client that gives more than the command takes is not read until it does. */
  #queueInput(bytes: number, work: (target: Target) => Promise<void>): void {
    this.#wait(bytes + messageCost);
    this.#input = this.#input
      .then(() => this.#attempt(work))
      .then(() => this.#wait(-bytes - messageCost));
  }

  #wait(bytes: number): void {
    this.#waitingBytes += bytes;
    this.#options.gate.set(this, this.#waitingBytes > maxWaitingBytes);
  }

  /** Of one that could not be started, its client knows already. */
  async #attempt(work: (target: Target) => Promise<void>): Promise<void> {
    const target = await this.#target.catch(() => undefined);
    if (target === undefined) return;
    try {
      await work(target);
    } catch (error) {
      const { send, gate, onUnexpected } = this.#options;
      await gate.until(send(faultBody(error, onUnexpected)));
    }
  }

  async #start(): Promise<Target> {
    const { engine, principal, sandbox, over } = this.#options;
    const { cmd, args = [], cwd, env, user, stdin, keep, timeout_seconds } = this.#request;
    const onWake: WakeOptions['onWake'] = ({ memory }) => {
      this.#woke = memory ? 'memory' : 'disk';
    };
    if (keep) {
      const what = cmd === undefined ? { args } : { cmd };
      const spec = { ...what, cwd, env, user, stdin, timeout_seconds };
      const { id, pid } = await engine.kept.start(principal, sandbox, spec, { onWake });
      return new KeptTarget(engine, principal, sandbox, { id, pid, since: 0, signal: over });
    }
    const timeoutMs = timeout_seconds ? Math.ceil(timeout_seconds * 1000) : undefined;
    const how = { cwd, env, user, stdin, timeoutMs };
    const request = cmd === undefined ? { args, ...how } : { cmd, ...how };
    return new OpenTarget(
      await engine.commands.open(principal, sandbox, request, { signal: over, onWake }),
    );
  }

  async #run(): Promise<void> {
    const { send, over, onUnexpected, onEnd } = this.#options;
    const pending = { stdout: new Utf8Chunks(), stderr: new Utf8Chunks() };
    const tell = (stream: 'stdout' | 'stderr', bytes: Buffer) =>
      bytes.length === 0 ? undefined : send({ stream, ...textOf('data', bytes) });
    try {
      const target = await this.#target;
      const { pid, commandId } = target;
      if (this.#request.verbose)
        await send({
          started: {
            pid,
            ...(commandId === undefined ? {} : { command_id: commandId }),
            ...(this.#woke === undefined ? {} : { woke: this.#woke }),
          },
        });
      const result = await target.follow((stream, bytes) =>
        tell(stream, pending[stream].add(bytes)),
      );
      for (const stream of ['stdout', 'stderr'] as const)
        await tell(stream, pending[stream].rest());
      const { exit_code: exit, ...rest } = result;
      onEnd();
      await send({ exit, ...rest });
    } catch (error) {
      onEnd();
      if (!over.aborted) await send(faultBody(error, onUnexpected));
    }
  }
}
