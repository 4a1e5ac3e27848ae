import { existsSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeepSpec, KeptCommand, KeptCommands } from '@sandport/driver';
import { type InitChannel, InitError, KeptProcesses, keptCommandsMax } from '@sandport/guest-init';
import { SandportFault } from '@sandport/protocol';
import { type CommandDefaults, initSpec } from '../command-defaults.ts';
import { readKeptRecord } from './kept-record.ts';
import { LocalKeptCommand } from './local-kept-command.ts';
import type { SpillBudget } from './spill-budget.ts';

export interface KeptStoreOptions {
  /** Trusted path on the storage of the sandbox's disk, where no guest comes. */
  readonly directory: string;
  readonly budget: SpillBudget;
  /** How often the kernel has killed for want of memory, if the host can tell. */
  readonly oomKills: () => number;
  readonly onTrouble: (what: string, error: unknown) => void;
}

export interface KeepOptions {
  readonly channel: InitChannel;
  readonly defaults: CommandDefaults;
}

const keyPattern = /^[0-9a-f]{32}$/;
const detailsMaxBytes = 16 * 1024;
const defaultOutputLimitBytes = 16 * 1024 * 1024;

/** The kept commands of one sandbox, with processes or without. */
export class KeptStore implements KeptCommands {
  /** For the channels to its inits. */
  readonly processes = new KeptProcesses();
  readonly #options: KeptStoreOptions;
  readonly #commands = new Map<string, LocalKeptCommand>();
  /** Keys of those that are being started. */
  readonly #starting = new Set<string>();

  private constructor(options: KeptStoreOptions) {
    this.#options = options;
  }

  /** Opens it with what an earlier daemon, or the sandbox that this is a copy of, has left. */
  static async open(options: KeptStoreOptions): Promise<KeptStore> {
    const store = new KeptStore(options);
    await store.#load();
    return store;
  }

  kept(): readonly KeptCommand[] {
    return [...this.#commands.values()].toSorted(
      (a, b) => a.startedAt.getTime() - b.startedAt.getTime(),
    );
  }

  /** @throws SandportFault `invalid_request`, `limit_reached`; InitError */
  async keep(spec: KeepSpec, { channel, defaults }: KeepOptions): Promise<KeptCommand> {
    this.#check(spec);
    const { key, details = {}, outputLimitBytes = defaultOutputLimitBytes } = spec;
    this.#starting.add(key);
    try {
      const command = await LocalKeptCommand.create(
        this.#commandOptions(key, {
          details,
          outputLimitBytes,
          hasTerminal: spec.terminal !== undefined,
          startedAt: new Date(),
          oomKillsBefore: this.#options.oomKills(),
          isWhole: false,
        }),
      );
      // A daemon that is killed before the record is there ends what it finds at the init.
      const recorded = command.settled();
      try {
        command.use(await channel.keep(initSpec(spec, defaults), command));
      } catch (error) {
        await command.discard();
        if (error instanceof InitError && error.code === 'ENOSPC') throw tooMany();
        throw error;
      }
      this.#commands.set(key, command);
      await recorded;
      return command;
    } finally {
      this.#starting.delete(key);
    }
  }

  /** Those that ran are lost: nothing is left of the sandbox's processes. */
  async processesGone(): Promise<void> {
    const commands = [...this.#commands.values()];
    for (const command of commands) {
      this.processes.delete(command.key);
      command.onLost();
    }
    await Promise.all(commands.map((command) => command.settled()));
  }

  /** True while some wait for an init to tell of them. */
  get awaitsInit(): boolean {
    return [...this.#commands.values()].some(({ awaitsInit }) => awaitsInit);
  }

  /** Writes what is in memory to the disk, as far as that takes it. */
  async flush(): Promise<void> {
    await Promise.all([...this.#commands.values()].map((command) => command.flush()));
  }

  /** Lets go of all: what is kept stays for the next daemon. */
  async close(): Promise<void> {
    await Promise.all([...this.#commands.values()].map((command) => command.close()));
  }

  #check({ key, details = {}, outputLimitBytes = 0 }: KeepSpec): void {
    if (!keyPattern.test(key) || this.#commands.has(key) || this.#starting.has(key))
      throw invalid('key', 'The key of a kept command must be 32 hexadecimal digits of its own.');
    if (Buffer.byteLength(JSON.stringify(details)) > detailsMaxBytes)
      throw invalid(
        'details',
        `The details of a kept command have at most ${detailsMaxBytes} bytes.`,
      );
    if (!Number.isSafeInteger(outputLimitBytes) || outputLimitBytes < 0)
      throw invalid('outputLimitBytes', 'The bytes that are kept of a command are a whole number.');
    if (this.#commands.size + this.#starting.size >= keptCommandsMax) throw tooMany();
  }

  async #load(): Promise<void> {
    const { directory } = this.#options;
    if (!existsSync(directory)) return;
    for (const key of readdirSync(directory)) {
      const record = keyPattern.test(key) ? readKeptRecord(join(directory, key)) : undefined;
      if (record === undefined) {
        await rm(join(directory, key), { recursive: true, force: true });
        continue;
      }
      const command = await LocalKeptCommand.open(this.#commandOptions(key, record));
      this.#commands.set(key, command);
      if (command.awaitsInit) command.use(this.processes.add(command));
    }
  }

  #commandOptions(key: string, record: Parameters<typeof LocalKeptCommand.open>[0]['record']) {
    const { directory, budget, oomKills, onTrouble } = this.#options;
    return {
      key,
      record,
      directory: join(directory, key),
      budget,
      onTrouble,
      oomKilledSince: (before: number) => oomKills() > before,
      onRemoved: () => {
        this.processes.delete(key);
        this.#commands.delete(key);
      },
    };
  }
}

const invalid = (field: string, message: string): SandportFault =>
  new SandportFault('invalid_request', message, { field });

const tooMany = (): SandportFault =>
  new SandportFault(
    'limit_reached',
    `The sandbox keeps ${keptCommandsMax} commands already: remove some that have ended.`,
    { limit: keptCommandsMax, resource: 'kept commands' },
  );
