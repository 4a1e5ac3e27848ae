import type { WakeOptions } from '@sandport/engine';
import type { SocketControl, SocketStart } from '@sandport/protocol';
import { textOf } from '../text-of.ts';
import { Utf8Chunks } from '../utf8-chunks.ts';
import type { ExecSessionOptions } from './exec-session.ts';
import { faultBody } from './fault-body.ts';
import { endTarget, KeptTarget, OpenTarget, type Target } from './target.ts';

export interface SocketCommandOptions extends ExecSessionOptions {
  /** Sends a message with its id; resolves when there is room for more. */
  readonly send: (message: object) => Promise<void> | undefined;
  /** Aborts when the connection has ended. */
  readonly over: AbortSignal;
  /** Called when {@link SocketCommand.waitingBytes} has changed. */
  readonly onWaiting: () => void;
  readonly onEnd: () => void;
}

/** One command of a connection: it is started, told what its client wants, and tells what it does. */
export class SocketCommand {
  /** Input that it has not taken yet. */
  waitingBytes = 0;
  readonly #request: SocketStart;
  readonly #options: SocketCommandOptions;
  readonly #target: Promise<Target>;
  readonly #ended: Promise<void>;
  #input: Promise<void> = Promise.resolve();
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
    else if (eof) this.#queueInput((target) => target.endInput());
    else if (signal !== undefined) void this.#attempt((target) => target.signal(signal));
    else if (cancel) void this.#attempt((target) => endTarget(target, 'SIGTERM', this.#ended));
  }

  #write(bytes: Buffer): void {
    this.waitingBytes += bytes.length;
    this.#options.onWaiting();
    this.#queueInput(async (target) => {
      try {
        await target.write(bytes);
        this.#takenBytes += bytes.length;
        if (this.#request.verbose) await this.#options.send({ taken: this.#takenBytes });
      } finally {
        this.waitingBytes -= bytes.length;
        this.#options.onWaiting();
      }
    });
  }

  #queueInput(work: (target: Target) => Promise<void>): void {
    this.#input = this.#input.then(() => this.#attempt(work));
  }

  /** Of one that could not be started, its client knows already. */
  async #attempt(work: (target: Target) => Promise<void>): Promise<void> {
    const target = await this.#target.catch(() => undefined);
    if (target === undefined) return;
    try {
      await work(target);
    } catch (error) {
      await this.#options.send(faultBody(error, this.#options.onUnexpected));
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
