import type { Writable } from 'node:stream';
import type { CommandResult, Engine, OpenCommand, Principal } from '@sandport/engine';
import { SandportFault, type SignalName } from '@sandport/protocol';
import { writeInto } from '../write-into.ts';

/** How long a command has between SIGTERM, or the end of its terminal, and SIGKILL. */
const graceMs = 2_000;

export type OnOutput = (
  stream: 'stdout' | 'stderr',
  bytes: Buffer,
) => Promise<void> | undefined | void;

/** A command at the other end of a WebSocket, one that ends with it or one that is kept. */
export interface Target {
  readonly pid: number | undefined;
  /** Of a kept one. */
  readonly commandId?: string;
  /** Resolves when there is room for more. @throws SandportFault `stdin_closed`, `command_ended` */
  write(bytes: Buffer): Promise<void>;
  endInput(): Promise<void>;
  signal(name: SignalName): Promise<void>;
  resize(size: { rows: number; cols: number }): Promise<void>;
  /** Hands out all that it writes, and resolves at its end. @throws SandportFault when that is not known */
  follow(onOutput: OnOutput): Promise<CommandResult>;
}

/** A command in the foreground. */
export class OpenTarget implements Target {
  readonly #open: OpenCommand;

  constructor(open: OpenCommand) {
    this.#open = open;
    // What it does not read is no error.
    open.stdin?.on('error', () => undefined);
  }

  get pid(): number {
    return this.#open.pid;
  }

  /** When `signal` aborts it gets SIGHUP, two seconds later SIGKILL, and is not read any more. */
  hangUpOn(signal: AbortSignal): void {
    const { exit, stdout, stderr } = this.#open;
    const hangUp = () => {
      stdout.destroy();
      stderr.destroy();
      void endTarget(this, 'SIGHUP', exit);
    };
    signal.addEventListener('abort', hangUp, { once: true });
    const forget = () => signal.removeEventListener('abort', hangUp);
    exit.then(forget, forget);
    if (signal.aborted) hangUp();
  }

  async write(bytes: Buffer): Promise<void> {
    await writeInto(this.#input, bytes);
  }

  async endInput(): Promise<void> {
    this.#input.end();
  }

  async signal(name: SignalName): Promise<void> {
    this.#open.kill(name);
  }

  async resize({ rows, cols }: { rows: number; cols: number }): Promise<void> {
    this.#open.resize({ rows, columns: cols });
  }

  async follow(onOutput: OnOutput): Promise<CommandResult> {
    const { stdout, stderr, exit } = this.#open;
    const hand = async (stream: 'stdout' | 'stderr') => {
      for await (const bytes of { stdout, stderr }[stream]) await onOutput(stream, bytes);
    };
    try {
      const [result] = await Promise.all([exit, hand('stdout'), hand('stderr')]);
      return result;
    } catch (error) {
      // A stream breaks with whatever the driver met; `exit` knows what that means to a client.
      const why = await exit.then(
        () => error,
        (fault: unknown) => fault,
      );
      throw why;
    }
  }

  get #input(): Writable {
    const { stdin } = this.#open;
    if (stdin !== undefined) return stdin;
    throw new SandportFault('stdin_closed', 'The command was started without `stdin`.');
  }
}

/** A kept command. */
export class KeptTarget implements Target {
  readonly commandId: string;
  readonly pid: number | undefined;
  readonly #engine: Engine;
  readonly #name: [Principal, string, string];
  readonly #since: number;
  readonly #signal: AbortSignal;

  /** @param options.signal ends the following, not the command */
  constructor(
    engine: Engine,
    principal: Principal,
    sandbox: string,
    options: { id: string; pid: number | undefined; since: number; signal: AbortSignal },
  ) {
    this.#engine = engine;
    this.commandId = options.id;
    this.pid = options.pid;
    this.#name = [principal, sandbox, options.id];
    this.#since = options.since;
    this.#signal = options.signal;
  }

  async write(bytes: Buffer): Promise<void> {
    await writeInto(await this.#engine.kept.input(...this.#name), bytes);
  }

  async endInput(): Promise<void> {
    (await this.#engine.kept.input(...this.#name)).end();
  }

  signal(name: SignalName): Promise<void> {
    return this.#engine.kept.signal(...this.#name, name);
  }

  resize({ rows, cols }: { rows: number; cols: number }): Promise<void> {
    return this.#engine.kept.resize(...this.#name, { rows, columns: cols });
  }

  async follow(onOutput: OnOutput): Promise<CommandResult> {
    const startedAt = performance.now();
    const ended = await this.#engine.kept.follow(
      ...this.#name,
      (output) =>
        'gap' in output ? undefined : (onOutput(output.stream, output.bytes) ?? undefined),
      { since: { stdout: this.#since }, signal: this.#signal },
    );
    const { exit_code: exitCode, signal, timed_out, oom_killed } = ended;
    if (exitCode === undefined)
      throw new SandportFault(
        'command_ended',
        'The sandbox lost its processes; nobody knows how the command ended.',
        {
          command: ended.id,
        },
      );
    return {
      exit_code: exitCode,
      ...(signal === undefined ? {} : { signal }),
      ...(timed_out ? { timed_out } : {}),
      ...(oom_killed ? { oom_killed } : {}),
      duration_ms: Math.round((performance.now() - startedAt) * 10) / 10,
    };
  }
}

/**
 * Sends a signal, and SIGKILL two seconds later unless `ended` has resolved by then. A command that
 * has ended already is no error.
 */
export async function endTarget(
  target: Pick<Target, 'signal'>,
  first: SignalName,
  ended: Promise<unknown>,
): Promise<void> {
  const quietly = () => undefined;
  await target.signal(first).catch(quietly);
  const timer = setTimeout(() => void target.signal('SIGKILL').catch(quietly), graceMs);
  const stop = () => clearTimeout(timer);
  ended.then(stop, stop);
}
