import type {
  AdoptionReport,
  Driver,
  DriverSandbox,
  SandboxDeath,
  SandboxSpec,
  StoppedSandbox,
} from '@sandport/driver';
import type { SandboxId } from '@sandport/protocol';
import { RefusingDriver } from './refusing-driver.ts';

const notHere = () => Promise.reject(new Error('not in this test'));

/** A driver without processes that can do all that the states of a sandbox need, and can fail. */
export class StatesDriver extends RefusingDriver {
  /** Every call that changes a state, as `hibernate`. */
  readonly calls: string[] = [];
  /** What the next calls reject with, by their names. */
  readonly failures = new Map<string, Error>();
  /** Calls wait for this. */
  gate: Promise<unknown> = Promise.resolve();
  /** Whether hibernations keep memory. */
  memory = true;
  /** Why memory that was kept cannot be had back. */
  fallback: string | undefined;
  readonly #deaths = new Map<SandboxId, (death: SandboxDeath) => void>();

  override async create(spec: SandboxSpec): Promise<DriverSandbox> {
    await this.call('create');
    return this.processes(spec.id);
  }

  override pause: Driver['pause'] = () => this.call('pause');
  override resume: Driver['resume'] = () => this.call('resume');
  override reconfigure: Driver['reconfigure'] = () => this.call('reconfigure');

  override hibernate: Driver['hibernate'] = async (id) => {
    await this.call('hibernate');
    const { memory } = this;
    return { ...this.disk(id, 'it is hibernated'), hibernation: { memory } };
  };

  override wake: Driver['wake'] = async ({ id }) => {
    await this.call('wake');
    const { fallback } = this;
    const memory = this.memory && fallback === undefined;
    return { sandbox: this.processes(id), memory, fallback };
  };

  override remove(): Promise<void> {
    return this.call('remove');
  }

  /** Ends the processes of a sandbox as nobody has asked for. */
  die(id: string, reason: string): void {
    this.#deaths.get(id as SandboxId)?.({ reason });
  }

  /** A sandbox as the driver hands it out. */
  processes(id: SandboxId, paused = false): DriverSandbox {
    const { files } = this.disk(id, '');
    const commands: DriverSandbox['commands'] = {
      start: notHere,
      connect: notHere,
      keep: notHere,
      kept: () => [],
    };
    const died = new Promise<SandboxDeath>((resolve) => this.#deaths.set(id, resolve));
    return { id, files, commands, paused, died };
  }

  disk(id: SandboxId, reason: string): StoppedSandbox {
    const files = new Proxy({} as StoppedSandbox['files'], {});
    return { id, reason, files, commands: { kept: () => [] } };
  }

  protected async call(name: string): Promise<void> {
    this.calls.push(name);
    await this.gate;
    const failure = this.failures.get(name);
    if (failure !== undefined) throw failure;
  }
}

/** A driver that finds at its start what it is told. */
export class FindingDriver extends StatesDriver {
  readonly #find: (driver: StatesDriver, id: SandboxId) => Partial<AdoptionReport>;

  constructor(find: (driver: StatesDriver, id: SandboxId) => Partial<AdoptionReport>) {
    super();
    this.#find = find;
  }

  override async adopt({ sandboxes }: Parameters<Driver['adopt']>[0]): Promise<AdoptionReport> {
    const found = sandboxes.map(({ id }) => this.#find(this, id));
    return {
      running: found.flatMap(({ running = [] }) => running),
      stopped: found.flatMap(({ stopped = [] }) => stopped),
      lost: found.flatMap(({ lost = [] }) => lost),
    };
  }
}
