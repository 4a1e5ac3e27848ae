import { PassThrough } from 'node:stream';
import type {
  Command,
  CommandExit,
  CommandSpec,
  DriverSandbox,
  PortConnection,
} from '@sandport/driver';
import { type SandboxId, SandportFault } from '@sandport/protocol';
import { StatesDriver } from './states-driver.ts';

/** A command that runs until the test, or a kill, ends it. */
export class FakeCommand implements Command {
  readonly pid = 7;
  readonly stdin = new PassThrough();
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  readonly exit: Promise<CommandExit>;
  readonly spec: CommandSpec;
  /** What it was told, as `SIGKILL` and `80x24`. */
  readonly told: string[] = [];
  #resolveExit: (exit: CommandExit) => void = () => {};
  #rejectExit: (error: Error) => void = () => {};

  constructor(spec: CommandSpec) {
    this.spec = spec;
    this.exit = new Promise((resolve, reject) => {
      this.#resolveExit = resolve;
      this.#rejectExit = reject;
    });
  }

  end(exit: Partial<CommandExit> = {}): void {
    this.#resolveExit({ exitCode: 0, timedOut: false, oomKilled: false, ...exit });
  }

  fail(error: Error): void {
    this.#rejectExit(error);
  }

  kill: Command['kill'] = (signal = 'SIGTERM') => {
    this.told.push(signal);
    this.end({ exitCode: 137, signal });
  };

  resize: Command['resize'] = ({ columns, rows }) => {
    this.told.push(`${columns}x${rows}`);
  };
}

/** Gives back what it gets. */
export class FakeConnection extends PassThrough implements PortConnection {
  bytesRead = 0;
  bytesWritten = 0;
}

/** A driver whose commands and connections are in the hands of the test. */
export class CommandsDriver extends StatesDriver {
  readonly commands: FakeCommand[] = [];
  readonly connections: FakeConnection[] = [];

  override processes(id: SandboxId, paused = false): DriverSandbox {
    const start = (spec: CommandSpec): Promise<Command> => {
      if (spec.args[0] === 'missing')
        return Promise.reject(new SandportFault('command_not_started', 'Missing.'));
      const command = new FakeCommand(spec);
      this.commands.push(command);
      return Promise.resolve(command);
    };
    const connect = (port: number): Promise<PortConnection> => {
      if (port === 1) return Promise.reject(new SandportFault('port_not_open', 'Nothing.'));
      const connection = new FakeConnection();
      this.connections.push(connection);
      return Promise.resolve(connection);
    };
    const sandbox = super.processes(id, paused);
    return { ...sandbox, commands: { ...sandbox.commands, start, connect } };
  }
}
