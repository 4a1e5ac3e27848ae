import { randomBytes } from 'node:crypto';
import type { Writable } from 'node:stream';
import type { KeptCommand, TerminalSize } from '@sandport/driver';
import {
  type CommandObject,
  type CommandStatus,
  SandportFault,
  type SignalName,
  type StartCommand,
} from '@sandport/protocol';
import type { Principal } from '../../principal.ts';
import { type Entry, hasProcesses, specOf } from '../../sandboxes/entry.ts';
import type { Sandboxes } from '../../sandboxes/sandboxes.ts';
import type { WakeOptions } from '../../sandboxes/states.ts';
import { terminalEnv } from '../terminal-env.ts';
import { commandDetails, commandObject } from './command-object.ts';
import { follow, type FollowOptions, type KeptOutput, refuseClosed } from './follow.ts';
import { keptOf } from './kept-of.ts';
import { type OutputPage, type OutputPageOptions, outputPage } from './output-page.ts';
import type { Watcher } from './watcher.ts';

export interface StartKeptOptions extends WakeOptions {
  /** What it is given as its input, which then ends; only without `stdin` and `tty`. */
  readonly input?: Buffer | undefined;
}

/**
 * Commands that go on without their client, and whose output is kept. To start one, and to tell one
 * something, wakes a hibernated sandbox; to look at them does not.
 */
export class KeptCommands {
  readonly #sandboxes: Sandboxes;
  readonly #watcher: Watcher;

  constructor(sandboxes: Sandboxes, watcher: Watcher) {
    this.#sandboxes = sandboxes;
    this.#watcher = watcher;
  }

  /**
   * Starts one. Where there is no room for it, the one that ended first is forgotten.
   * @throws SandportFault `sandbox_not_found`, `invalid_state`, `command_not_started`, `limit_reached`
   */
  async start(
    principal: Principal,
    sandbox: string,
    request: StartCommand,
    { input, ...options }: StartKeptOptions = {},
  ): Promise<CommandObject> {
    const entry = this.#sandboxes.find(principal, sandbox);
    using active = entry.activity.begin();
    void active;
    const { commands } = await this.#sandboxes.states.running(entry, options);
    const { cmd, args, cwd, env, user, tty, stdin, timeout_seconds: timeoutSeconds = 0 } = request;
    const spec = specOf(entry.row);
    using place = await this.#watcher.room(entry);
    void place;
    const command = await commands.keep({
      key: randomBytes(16).toString('hex'),
      details: {
        ...commandDetails({ cmd, args }, { cwd: cwd ?? spec.workdir, user: user ?? spec.user }),
      },
      args: args ?? ['/bin/sh', '-c', cmd ?? ''],
      cwd,
      env: tty === undefined ? env : terminalEnv(spec, env),
      user,
      timeoutMs: timeoutSeconds === 0 ? undefined : Math.ceil(timeoutSeconds * 1000),
      stdin: stdin ?? (tty !== undefined || input !== undefined),
      terminal: tty && { rows: tty.rows, columns: tty.cols },
      outputLimitBytes: request.output_limit_bytes,
    });
    // A write that fails means that it does not read its input; that is no error.
    command.stdin?.on('error', () => undefined);
    if (input !== undefined) command.stdin?.end(input);
    const object = commandObject(command);
    this.#watcher.started(entry, command);
    return object;
  }

  /** Oldest first. @throws SandportFault `sandbox_not_found` */
  list(principal: Principal, sandbox: string, status?: CommandStatus): CommandObject[] {
    return keptOf(this.#sandboxes.find(principal, sandbox))
      .filter(({ state }) => status === undefined || state === status)
      .map(commandObject);
  }

  /** @throws SandportFault `sandbox_not_found`, `command_not_found` */
  get(principal: Principal, sandbox: string, id: string): CommandObject {
    return commandObject(this.#find(principal, sandbox, id).command);
  }

  /**
   * Resolves with it when it does not run any more, or after `waitMs`, or when `signal` aborts.
   * @throws SandportFault as {@link get}
   */
  async wait(
    principal: Principal,
    sandbox: string,
    id: string,
    { waitMs, signal }: { waitMs: number; signal?: AbortSignal },
  ): Promise<CommandObject> {
    const done = new AbortController();
    const over = AbortSignal.any([done.signal, ...(signal === undefined ? [] : [signal])]);
    const timer = setTimeout(() => done.abort(), waitMs);
    try {
      for (;;) {
        const { entry, command } = this.#find(principal, sandbox, id);
        if (waitMs === 0 || command.state !== 'running' || over.aborted)
          return commandObject(command);
        // Another object stands for it after a hibernation.
        const another = this.#watcher.changed(entry, over).then(() => true);
        const isAnother = await Promise.race([another, command.ended.then(() => false)]);
        if (!isAnother) refuseClosed(command);
      }
    } finally {
      clearTimeout(timer);
      done.abort();
    }
  }

  /**
   * Ends it (SIGTERM, two seconds later SIGKILL) and frees all that is kept of it.
   * @throws SandportFault `sandbox_not_found`, `command_not_found`, `invalid_state`
   */
  async remove(principal: Principal, sandbox: string, id: string): Promise<void> {
    const { command } = this.#find(principal, sandbox, id);
    const ended = command.state === 'running' ? await this.#awake(principal, sandbox, id) : command;
    await ended.remove();
  }

  /** To its process group. @throws SandportFault as {@link get}, `command_ended`, `invalid_state` */
  async signal(
    principal: Principal,
    sandbox: string,
    id: string,
    signal: SignalName,
  ): Promise<void> {
    (await this.#running(principal, sandbox, id)).kill(signal);
  }

  /** @throws SandportFault as {@link signal}, `not_a_terminal` */
  async resize(
    principal: Principal,
    sandbox: string,
    id: string,
    size: TerminalSize,
  ): Promise<void> {
    const command = await this.#running(principal, sandbox, id);
    if (!command.hasTerminal)
      throw new SandportFault('not_a_terminal', `The command ${id} has no terminal.`, {
        sandbox,
        command: id,
      });
    command.resize(size);
  }

  /**
   * Its input, the same for all who write; who ends it ends it for all.
   * @throws SandportFault as {@link signal}, `stdin_closed`
   */
  async input(principal: Principal, sandbox: string, id: string): Promise<Writable> {
    const { stdin } = await this.#running(principal, sandbox, id);
    if (stdin !== undefined && stdin.writable) {
      if (stdin.listenerCount('error') === 0) stdin.on('error', () => undefined);
      return stdin;
    }
    throw new SandportFault('stdin_closed', `The command ${id} takes no input.`, {
      sandbox,
      command: id,
    });
  }

  /** Part of what it wrote. @throws SandportFault as {@link get} */
  output(
    principal: Principal,
    sandbox: string,
    id: string,
    options: OutputPageOptions,
  ): OutputPage {
    return outputPage(this.#find(principal, sandbox, id).command, options);
  }

  /**
   * Hands out what it wrote and writes, from offsets on, until it does not run any more; resolves
   * with it then. Goes on through a hibernation. A promise from `onOutput` holds that stream until
   * it is settled.
   * @throws SandportFault as {@link get}; the reason of `signal`
   */
  async follow(
    principal: Principal,
    sandbox: string,
    id: string,
    onOutput: (output: KeptOutput) => void | Promise<void>,
    options: FollowOptions,
  ): Promise<CommandObject> {
    const find = () => this.#find(principal, sandbox, id);
    const { entry } = find();
    const changed = (signal: AbortSignal) => this.#watcher.changed(entry, signal);
    return commandObject(
      await follow({ find: () => find().command, changed, onOutput, ...options }),
    );
  }

  #find(principal: Principal, sandbox: string, id: string): { entry: Entry; command: KeptCommand } {
    const entry = this.#sandboxes.find(principal, sandbox);
    const command = keptOf(entry).find(({ key }) => key === id);
    if (command !== undefined) return { entry, command };
    throw new SandportFault(
      'command_not_found',
      `The sandbox ${sandbox} keeps no command "${id.slice(0, 64)}".`,
      { sandbox: entry.row.id, command: id.slice(0, 64) },
    );
  }

  /** It, in a sandbox that has processes. */
  async #awake(principal: Principal, sandbox: string, id: string): Promise<KeptCommand> {
    const { entry } = this.#find(principal, sandbox, id);
    await this.#sandboxes.states.running(entry);
    return this.#find(principal, sandbox, id).command;
  }

  async #running(principal: Principal, sandbox: string, id: string): Promise<KeptCommand> {
    const { entry, command } = this.#find(principal, sandbox, id);
    const isReady = entry.row.status === 'running' && hasProcesses(entry.sandbox);
    const awake =
      isReady || command.state !== 'running' ? command : await this.#awake(principal, sandbox, id);
    if (awake.state !== 'running')
      throw new SandportFault('command_ended', `The command ${id} does not run any more.`, {
        sandbox: entry.row.id,
        command: id,
      });
    entry.activity.touch();
    return awake;
  }
}
