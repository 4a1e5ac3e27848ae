import { once } from 'node:events';
import type { Readable } from 'node:stream';
import type { Command, DriverSandbox, PortConnection } from '@sandport/driver';
import {
  type ExecRequest,
  type ExecResult,
  maxExecOutputBytes,
  SandportFault,
} from '@sandport/protocol';
import type { HeldBytes, HeldShare } from '../memory/held-bytes.ts';
import type { Principal } from '../principal.ts';
import type { Sandboxes } from '../sandboxes/sandboxes.ts';
import type { WakeOptions } from '../sandboxes/states.ts';
import { BoundedText } from './bounded-text.ts';
import { type CommandResult, resultOf } from './command-result.ts';
import { connectToPort } from './connect-to-port.ts';
import { type OpenCommand, openCommand, type OpenCommandRequest } from './open-command.ts';

/** Output of a command as it comes. */
export interface CommandOutput {
  readonly stream: 'stdout' | 'stderr';
  readonly bytes: Buffer;
}

export interface CommandOptions extends WakeOptions {
  /** Kills the process group. */
  readonly signal?: AbortSignal;
}

export interface RunOptions extends CommandOptions {
  /** Counts the output that is kept. @default one that ends with the command */
  readonly held?: Pick<HeldShare, 'take'> | undefined;
}

/** Commands in sandboxes. */
export class Commands {
  readonly #sandboxes: Sandboxes;
  readonly #held: HeldBytes;

  constructor(sandboxes: Sandboxes, held: HeldBytes) {
    this.#sandboxes = sandboxes;
    this.#held = held;
  }

  /**
   * Resolves when commands can be run; wakes a hibernated sandbox.
   * @throws SandportFault `sandbox_not_found`, `invalid_state`
   */
  async ready(principal: Principal, sandbox: string, options: WakeOptions = {}): Promise<void> {
    const entry = this.#sandboxes.find(principal, sandbox);
    using active = entry.activity.begin();
    void active;
    await this.#sandboxes.states.running(entry, options);
  }

  /**
   * Runs a command to its end and keeps what it wrote, up to the limit of each stream.
   * @throws SandportFault also `limit_reached`, when requests hold too much; the command is killed
   */
  async run(
    principal: Principal,
    sandbox: string,
    request: ExecRequest,
    options: RunOptions = {},
  ): Promise<ExecResult> {
    using own = this.#held.share(principal);
    const { held = own } = options;
    const limitBytes = request.max_output_bytes ?? maxExecOutputBytes;
    const kept = { stdout: new BoundedText(limitBytes), stderr: new BoundedText(limitBytes) };
    const result = await this.stream(
      principal,
      sandbox,
      request,
      ({ stream, bytes }) => {
        try {
          held.take(kept[stream].add(bytes));
        } catch (error) {
          return Promise.reject(error);
        }
      },
      options,
    );
    const truncated = kept.stdout.truncated || kept.stderr.truncated;
    return {
      stdout: kept.stdout.text(),
      stderr: kept.stderr.text(),
      ...result,
      ...(truncated ? { truncated } : {}),
    };
  }

  /**
   * Runs a command to its end and hands out what it writes. A promise from `onOutput` holds that
   * stream until it is settled. When `signal` aborts, the process group is killed.
   */
  async stream(
    principal: Principal,
    sandbox: string,
    request: ExecRequest,
    onOutput: (output: CommandOutput) => void | Promise<void>,
    options: CommandOptions = {},
  ): Promise<CommandResult> {
    const startedAt = performance.now();
    const entry = this.#sandboxes.find(principal, sandbox);
    using active = entry.activity.begin();
    void active;
    const running = await this.#sandboxes.states.running(entry, options);
    const command = await start(running, request);
    const kill = () => command.kill('SIGKILL');
    options.signal?.addEventListener('abort', kill, { once: true });
    if (options.signal?.aborted) kill();
    try {
      feed(command, request);
      const [exit] = await Promise.all([
        command.exit,
        hand(command.stdout, 'stdout', onOutput),
        hand(command.stderr, 'stderr', onOutput),
      ]);
      return resultOf(exit, startedAt);
    } catch (error) {
      command.kill('SIGKILL');
      command.stdout.destroy();
      command.stderr.destroy();
      throw await this.#why(command, error);
    } finally {
      options.signal?.removeEventListener('abort', kill);
    }
  }

  /**
   * Starts a command and hands out its ends; wakes a hibernated sandbox. Until it has ended, the
   * sandbox is in use. When `signal` aborts, the process group is killed.
   * @throws SandportFault `sandbox_not_found`, `invalid_state`, `command_not_started`
   */
  async open(
    principal: Principal,
    sandbox: string,
    request: OpenCommandRequest,
    options: CommandOptions = {},
  ): Promise<OpenCommand> {
    return openCommand(this.#sandboxes, principal, sandbox, request, options);
  }

  /**
   * Connects to a TCP port on the sandbox's loopback; wakes a hibernated sandbox. While bytes move,
   * the sandbox is in use. When `signal` aborts, the connection breaks.
   * @param port 1 to 65,535
   * @throws SandportFault `sandbox_not_found`, `invalid_state`, `port_not_open`, `invalid_request`
   */
  async connect(
    principal: Principal,
    sandbox: string,
    port: number,
    options: CommandOptions = {},
  ): Promise<PortConnection> {
    return connectToPort(this.#sandboxes, principal, sandbox, port, options);
  }

  /** A stream breaks with whatever the driver met; `exit` knows what that means to a client. */
  async #why(command: Command, error: unknown): Promise<unknown> {
    const exit = command.exit.then(
      () => error,
      (fault: unknown) => fault,
    );
    return error instanceof SandportFault ? error : exit;
  }
}

function start({ commands }: DriverSandbox, request: ExecRequest): Promise<Command> {
  const timeoutSeconds = request.timeout_seconds ?? 0;
  return commands.start({
    args: request.args ?? ['/bin/sh', '-c', request.cmd ?? ''],
    cwd: request.cwd,
    env: request.env,
    user: request.user,
    timeoutMs: timeoutSeconds === 0 ? undefined : Math.ceil(timeoutSeconds * 1000),
    stdin: request.stdin !== undefined || request.stdin_base64 !== undefined,
  });
}

/** Gives the command its input. A command that does not read it to the end is no error. */
function feed(command: Command, request: ExecRequest): void {
  if (command.stdin === undefined) return;
  command.stdin.on('error', () => undefined);
  command.stdin.end(
    request.stdin_base64 === undefined
      ? Buffer.from(request.stdin ?? '')
      : Buffer.from(request.stdin_base64, 'base64'),
  );
}

async function hand(
  readable: Readable,
  stream: CommandOutput['stream'],
  onOutput: (output: CommandOutput) => void | Promise<void>,
): Promise<void> {
  readable.on('data', (bytes: Buffer) => {
    const handed = onOutput({ stream, bytes });
    if (handed === undefined) return;
    readable.pause();
    handed.then(
      () => readable.resume(),
      (error: unknown) =>
        readable.destroy(error instanceof Error ? error : new Error(String(error))),
    );
  });
  await once(readable, 'end');
}
