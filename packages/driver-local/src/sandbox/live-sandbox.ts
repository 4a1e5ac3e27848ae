import { setTimeout as sleep } from 'node:timers/promises';
import type { DriverSandbox, SandboxCommands, SandboxDeath, SandboxFiles } from '@sandport/driver';
import type { InitChannel } from '@sandport/guest-init';
import type { SandboxId } from '@sandport/protocol';
import { InitSandboxCommands } from '../commands/sandbox-commands.ts';
import type { HeldSandbox } from './held-sandbox.ts';

export interface LiveSandboxOptions {
  readonly held: HeldSandbox;
  readonly channel: InitChannel;
  readonly oomKills: () => number;
  /** Looks at once whether the sandbox is alive. */
  readonly checkAlive: () => void;
}

/** A killed process takes a moment to be gone. */
const longestDeathMs = 1000;

/** What ended the processes, in the words that commands get. */
interface End {
  /** As "hibernated". */
  readonly status: string;
  readonly reason: string;
}

/** A sandbox with processes: its files and its commands, from the start of its init to its end. */
export class LiveSandbox implements DriverSandbox {
  readonly id: SandboxId;
  readonly channel: InitChannel;
  readonly commands: SandboxCommands;
  readonly died: Promise<SandboxDeath>;
  readonly #held: HeldSandbox;
  readonly #resolveDied: (death: SandboxDeath) => void;
  readonly #checkAlive: () => void;
  #paused = false;
  #end: End | undefined;

  constructor({ held, channel, oomKills, checkAlive }: LiveSandboxOptions) {
    this.id = held.id;
    this.channel = channel;
    this.#held = held;
    this.commands = new InitSandboxCommands({
      id: held.id,
      channel,
      kept: held.kept,
      defaults: () => {
        const { user, workdir, env } = held.spec;
        return { user, workdir, env: { ...held.template.record.env, ...env } };
      },
      oomKills,
      obstacle: () => this.#end ?? (this.#paused ? pausedObstacle : undefined),
      settleTrouble: () => this.#settleTrouble(),
    });
    let resolveDied: (death: SandboxDeath) => void = () => {};
    this.died = new Promise((resolve) => {
      resolveDied = resolve;
    });
    this.#resolveDied = resolveDied;
    this.#checkAlive = checkAlive;
    channel.onDisconnect(() => void this.#settleTrouble());
  }

  get files(): SandboxFiles {
    return this.#held.root.files;
  }

  get paused(): boolean {
    return this.#paused;
  }

  get network(): DriverSandbox['network'] {
    const { record, spec } = this.#held;
    if (record.network?.attached === true) return 'attached';
    return spec.network === undefined ? undefined : 'pending';
  }

  /** Says whether it is frozen; freezes nothing. Its silence is no sign of anything meanwhile. */
  setPaused(paused: boolean): void {
    this.#paused = paused;
    this.channel.setQuiet(paused);
  }

  /** Tells everyone that the sandbox is gone; its files stay. */
  markDead(reason: string): void {
    if (this.#end !== undefined) return;
    this.#end = { status: 'failed', reason };
    void this.channel[Symbol.asyncDispose]();
    void this.#held.kept.processesGone();
    this.#resolveDied({ reason });
  }

  /** Lets go of the processes without a word to those who wait for its death. Commands fail. */
  async end(end: End): Promise<void> {
    this.#end ??= end;
    await this.channel[Symbol.asyncDispose]();
  }

  /** After a lost connection: waits until it is back, or the sandbox is known to be dead. */
  async #settleTrouble(): Promise<void> {
    const untilMs = performance.now() + longestDeathMs;
    while (performance.now() < untilMs) {
      this.#checkAlive();
      if (this.#end !== undefined || this.channel.connected) return;
      await sleep(10);
    }
  }

  /** Lets go of the sandbox, whose processes may go on. */
  release(): Promise<void> {
    return this.end({ status: 'released', reason: 'it was removed, or its daemon stopped' });
  }
}

const pausedObstacle: End = { status: 'paused', reason: 'it is paused' };
