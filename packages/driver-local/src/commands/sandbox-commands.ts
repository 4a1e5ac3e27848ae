import type {
  Command,
  CommandExit,
  CommandSpec,
  KeepSpec,
  KeptCommand,
  PortConnection,
  SandboxCommands,
} from '@sandport/driver';
import { connectionsMax, type InitChannel, InitError } from '@sandport/guest-init';
import { SandportFault } from '@sandport/protocol';
import { type CommandDefaults, initSpec } from './command-defaults.ts';
import type { KeptStore } from './kept/kept-store.ts';
import { notStarted } from './not-started.ts';

/** The state of a sandbox that has no working init. */
export interface Obstacle {
  readonly status: string;
  readonly reason: string;
}

export interface SandboxCommandsOptions {
  readonly id: string;
  readonly channel: InitChannel;
  readonly kept: KeptStore;
  /** What a command gets that does not ask for something else. */
  readonly defaults: () => CommandDefaults;
  /** How often the kernel has killed for want of memory, if the host can tell. */
  readonly oomKills: () => number;
  /** Why the sandbox cannot run commands; undefined while it can. */
  readonly obstacle: () => Obstacle | undefined;
  /** Called when the init stops answering; resolves when it is known whether the sandbox lives. */
  readonly settleTrouble: () => Promise<void>;
}

/** Exit code of a shell whose command was killed by SIGKILL. */
const killedExitCode = 128 + 9;
/** What the init says when it has no room for one more connection. */
const exhausted = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EAGAIN']);

/** Runs commands through the init of one sandbox. */
export class InitSandboxCommands implements SandboxCommands {
  readonly #options: SandboxCommandsOptions;

  constructor(options: SandboxCommandsOptions) {
    this.#options = options;
  }

  async start(spec: CommandSpec): Promise<Command> {
    const { channel } = this.#options;
    this.#refuseObstacle();
    const oomKillsBefore = this.#options.oomKills();
    try {
      const command = await channel.start(initSpec(spec, this.#options.defaults()));
      // An error that breaks the streams is told by `exit`; it must not end the process as well.
      for (const stream of [command.stdout, command.stderr, command.stdin])
        stream?.on('error', () => {});
      let killed = false;
      const exit = command.exit.then(
        (result): CommandExit => ({
          ...result,
          oomKilled:
            result.oomKilled ||
            (!killed &&
              !result.timedOut &&
              result.exitCode === killedExitCode &&
              this.#options.oomKills() > oomKillsBefore),
        }),
        async (error: unknown) => {
          throw await this.#fault(error);
        },
      );
      // Whoever does not wait for the end must not bring the process down.
      exit.catch(() => {});
      return {
        pid: command.pid,
        stdout: command.stdout,
        stderr: command.stderr,
        ...(command.stdin ? { stdin: command.stdin } : {}),
        exit,
        kill: (signal = 'SIGTERM') => {
          killed ||= signal === 'SIGKILL';
          command.kill(signal);
        },
        resize: (size) => command.resize(size),
      };
    } catch (error) {
      throw await this.#startFault(error, spec);
    }
  }

  async keep(spec: KeepSpec): Promise<KeptCommand> {
    this.#refuseObstacle();
    const { channel, kept, defaults } = this.#options;
    try {
      return await kept.keep(spec, { channel, defaults: defaults() });
    } catch (error) {
      throw await this.#startFault(error, spec);
    }
  }

  kept(): readonly KeptCommand[] {
    return this.#options.kept.kept();
  }

  async connect(port: number): Promise<PortConnection> {
    this.#refuseObstacle();
    try {
      return await this.#options.channel.connect(port);
    } catch (error) {
      if (error instanceof InitError && error.kind === 'not_connected')
        throw notConnected(error, this.#options.id, port);
      throw await this.#fault(error);
    }
  }

  #refuseObstacle(): void {
    const obstacle = this.#options.obstacle();
    if (obstacle === undefined) return;
    const { status, reason } = obstacle;
    throw new SandportFault('invalid_state', `The sandbox is not running: ${reason}.`, {
      sandbox: this.#options.id,
      status,
      reason,
    });
  }

  async #startFault(error: unknown, spec: CommandSpec): Promise<unknown> {
    if (error instanceof InitError && error.kind === 'not_started')
      return notStarted(error, spec, this.#options.defaults());
    return this.#fault(error);
  }

  async #fault(error: unknown): Promise<unknown> {
    if (!(error instanceof InitError)) return error;
    const sandbox = this.#options.id;
    if (error.kind === 'outdated') {
      const reason = 'it was started by an earlier release of Sandport; start it anew';
      const details = { sandbox, status: 'running', reason };
      return new SandportFault('invalid_state', `The sandbox cannot do this: ${reason}.`, details);
    }
    if (error.kind === 'disconnected') await this.#options.settleTrouble();
    try {
      this.#refuseObstacle();
    } catch (fault) {
      return fault;
    }
    return new SandportFault(
      'sandbox_unresponsive',
      `The init of the sandbox does not answer (${error.kind}).`,
      { sandbox },
      { cause: error },
    );
  }
}

/** Why there is no connection, where the init itself is well. */
function notConnected(error: InitError, sandbox: string, port: number): SandportFault {
  if (exhausted.has(error.code ?? ''))
    return new SandportFault(
      'limit_reached',
      `The sandbox holds as many connections as it can (${error.code}).`,
      { limit: connectionsMax, resource: 'connections' },
      { cause: error },
    );
  return new SandportFault(
    'port_not_open',
    `Nothing accepts connections on port ${port} inside the sandbox (${error.code}).`,
    { sandbox, port },
    { cause: error },
  );
}
