import { setTimeout as sleep } from 'node:timers/promises';
import type { DriverSandbox, SandboxCommands, SandboxDeath, SandboxFiles } from '@sandport/driver';
import type { InitChannel } from '@sandport/guest-init';
import type { RootedFs } from '@sandport/linux';
import type { SandboxId } from '@sandport/protocol';
import { InitSandboxCommands } from '../commands/sandbox-commands.ts';
import type { SandboxLayers } from '../files/changes.ts';
import { RootedSandboxFiles } from '../files/sandbox-files.ts';
import type { UserIds } from '../templates/passwd.ts';

export interface LiveSandboxOptions {
  readonly id: SandboxId;
  readonly channel: InitChannel;
  readonly root: RootedFs;
  readonly owner: UserIds;
  readonly layers: SandboxLayers;
  readonly user: string;
  readonly workdir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly oomKills: () => number;
  /** Looks at once whether the sandbox is alive. */
  readonly checkAlive: () => void;
}

/** A killed process takes a moment to be gone. */
const longestDeathMs = 1000;

/** A running sandbox: its files and its commands. */
export class LiveSandbox implements DriverSandbox {
  readonly id: SandboxId;
  readonly files: SandboxFiles;
  readonly commands: SandboxCommands;
  readonly paused = false;
  readonly died: Promise<SandboxDeath>;
  readonly #channel: InitChannel;
  readonly #root: RootedFs;
  readonly #resolveDied: (death: SandboxDeath) => void;
  readonly #checkAlive: () => void;
  #deathReason: string | undefined;

  constructor(options: LiveSandboxOptions) {
    this.id = options.id;
    this.#channel = options.channel;
    this.#root = options.root;
    this.files = new RootedSandboxFiles(options);
    this.commands = new InitSandboxCommands({
      ...options,
      deathReason: () => this.#deathReason,
      settleTrouble: () => this.#settleTrouble(),
    });
    let resolveDied: (death: SandboxDeath) => void = () => {};
    this.died = new Promise((resolve) => {
      resolveDied = resolve;
    });
    this.#resolveDied = resolveDied;
    options.channel.onDisconnect(() => void this.#settleTrouble());
    this.#checkAlive = options.checkAlive;
  }

  /** Tells everyone that the sandbox is gone; its files stay. */
  markDead(reason: string): void {
    if (this.#deathReason !== undefined) return;
    this.#deathReason = reason;
    void this.#channel[Symbol.asyncDispose]();
    this.#resolveDied({ reason });
  }

  /** After a lost connection: waits until it is back, or the sandbox is known to be dead. */
  async #settleTrouble(): Promise<void> {
    const untilMs = performance.now() + longestDeathMs;
    while (performance.now() < untilMs) {
      this.#checkAlive();
      if (this.#deathReason !== undefined || this.#channel.connected) return;
      await sleep(10);
    }
  }

  /** Lets go of the sandbox without a word to those who wait for its death. */
  async release(): Promise<void> {
    this.#deathReason ??= 'it was removed, or its daemon stopped';
    await this.#channel[Symbol.asyncDispose]();
    this.#root.close();
  }
}
