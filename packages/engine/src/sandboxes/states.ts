import type { Driver, DriverSandbox, StoppedSandbox, WokenSandbox } from '@sandport/driver';
import type { EventType } from '@sandport/protocol';
import type { SandboxRow } from '@sandport/state';
import type { Events } from '../events.ts';
import type { Quotas } from '../quotas/quotas.ts';
import { type Entry, hasProcesses, specOf } from './entry.ts';
import { withNetworkState } from './network.ts';
import type { Registry } from './registry.ts';
import { invalidState } from './to-object.ts';

export interface StatesOptions {
  readonly driver: Driver;
  readonly registry: Registry;
  readonly events: Events;
  readonly log: (message: string, fields: Record<string, unknown>) => void;
  readonly quotas: Pick<Quotas, 'hold'>;
  /** Called after each change that may move a moment at which a sandbox ends or sleeps. */
  readonly reschedule: () => void;
  /** Called when a sandbox got processes, or lost them. */
  readonly onProcesses: (entry: Entry) => void;
}

/** Why a sandbox is woken. */
export type WakeCause = 'asked' | 'command' | 'write';

/** What waking a sandbox meant. */
export interface Waking {
  /** False: it was running already. */
  readonly woken: boolean;
  /** True: its processes are what they were. */
  readonly memory: boolean;
}

export interface WakeOptions {
  /** Called when the sandbox had to be woken for this. */
  readonly onWake?: ((waking: Waking) => void) | undefined;
}

/** running ⇄ paused, running ⇄ hibernated, any → failed. Changes of one sandbox take turns. */
export class States {
  readonly #options: StatesOptions;

  constructor(options: StatesOptions) {
    this.#options = options;
  }

  /** Freezes the processes. No error when it is paused. @throws SandportFault `invalid_state` */
  pause(entry: Entry): Promise<void> {
    return entry.turns.take(async () => {
      if (entry.row.status === 'paused') return;
      if (entry.row.status !== 'running') throw invalidState(entry.row, 'it cannot be paused');
      await this.#options.driver.pause(entry.row.id);
      this.#enter(entry, { status: 'paused' }, 'paused');
    });
  }

  /** No error when it runs. @throws SandportFault `invalid_state` */
  resume(entry: Entry): Promise<void> {
    return entry.turns.take(async () => {
      if (entry.row.status === 'running') return;
      if (entry.row.status !== 'paused') throw invalidState(entry.row, 'it cannot be resumed');
      await this.#options.driver.resume(entry.row.id);
      entry.activity.touch();
      this.#enter(entry, { status: 'running' }, 'resumed');
    });
  }

  /** No error when it is hibernated. @throws SandportFault `invalid_state`, `hibernate_failed` */
  hibernate(entry: Entry): Promise<void> {
    return entry.turns.take(() => this.#hibernate(entry));
  }

  /** The same, unless somebody uses it by then. */
  hibernateIdle(entry: Entry): Promise<void> {
    return entry.turns.take(async () => {
      const { status, idleTimeoutSeconds } = entry.row;
      const isIdle = entry.activity.idleMs >= idleTimeoutSeconds * 1000;
      if (status === 'running' && isIdle) await this.#hibernate(entry);
    });
  }

  async #hibernate(entry: Entry): Promise<void> {
    const { row } = entry;
    if (row.status === 'hibernated') return;
    if (row.status !== 'running' && row.status !== 'paused')
      throw invalidState(row, 'it cannot be hibernated');
    const stopped = await this.#options.driver.hibernate(row.id);
    entry.sandbox = stopped;
    const { memory } = stopped.hibernation;
    const change = { status: 'hibernated', memory, statusReason: undefined } as const;
    this.#enter(entry, change, 'hibernated', { memory });
    this.#options.onProcesses(entry);
  }

  /** Also of a failed one, which begins afresh. No error when it runs. */
  wake(entry: Entry, cause: WakeCause): Promise<Waking> {
    return entry.turns.take(async () => {
      const { row } = entry;
      if (row.status === 'running') {
        entry.activity.touch();
        return { woken: false, memory: true };
      }
      const may = row.status === 'hibernated' || (row.status === 'failed' && cause === 'asked');
      if (!may || entry.sandbox === undefined)
        throw invalidState(
          row,
          `it cannot be woken${row.status === 'paused' ? '; resume it' : ''}`,
        );
      const { sandbox, memory, fallback } = await this.#driverWake(entry);
      entry.activity.touch();
      const bootMode = memory ? 'memory' : 'disk';
      this.started(entry, sandbox, { bootMode, statusReason: fallback });
      const reason = fallback === undefined ? {} : { reason: fallback };
      this.#options.events.emit(entry.row, 'woken', { cause, memory, ...reason });
      return { woken: true, memory };
    });
  }

  async #driverWake(entry: Entry): Promise<WokenSandbox> {
    const { driver, quotas } = this.#options;
    const { signal } = entry.abort;
    const spec = specOf(entry.row);
    using room = quotas.hold(entry, spec.limits, { processes: true });
    void room;
    try {
      return await driver.wake(spec, { signal });
    } catch (error) {
      throw signal.aborted ? invalidState(entry.row, 'it cannot be woken') : error;
    }
  }

  /** The sandbox, able to run commands; a hibernated one is woken. @throws SandportFault `invalid_state` */
  async running(entry: Entry, options: WakeOptions = {}): Promise<DriverSandbox> {
    await this.#awake(entry, 'command', options);
    const { row, sandbox } = entry;
    if (row.status !== 'running' || !hasProcesses(sandbox))
      throw invalidState(row, 'it cannot run commands');
    return sandbox;
  }

  /** Waits for a change that is under way, and wakes a hibernated sandbox, so that it can be written to. */
  async writable(entry: Entry, options: WakeOptions = {}): Promise<void> {
    await this.#awake(entry, 'write', options);
  }

  /** All that come while it sleeps share one wake, and its failure. */
  async #awake(entry: Entry, cause: WakeCause, { onWake }: WakeOptions): Promise<void> {
    if (entry.waking === undefined) {
      if (entry.turns.busy && entry.row.status !== 'creating') await entry.turns.settled();
      if (entry.row.status !== 'hibernated') return;
    }
    entry.waking ??= this.wake(entry, cause).finally(() => {
      entry.waking = undefined;
    });
    const waking = await entry.waking;
    if (waking.woken) onWake?.(waking);
  }

  /** From now on the sandbox has these processes; their death is noticed. */
  started(entry: Entry, sandbox: DriverSandbox, change: Partial<SandboxRow> = {}): void {
    entry.sandbox = sandbox;
    const status = sandbox.paused ? 'paused' : 'running';
    const spec = withNetworkState(specOf(entry.row), sandbox);
    this.#become(entry, { statusReason: undefined, memory: undefined, ...change, spec, status });
    this.#options.onProcesses(entry);
    sandbox.died
      .then(({ reason }) => this.#onDeath(entry, sandbox, reason))
      .catch((error: unknown) => {
        this.#options.log('death not written down', { sandbox: sandbox.id, error: String(error) });
      });
  }

  /** It has no processes: it was hibernated when `sandbox` says so, else it died of `reason`. */
  stopped(entry: Entry, reason: string, sandbox?: StoppedSandbox): void {
    entry.sandbox = sandbox;
    const { status, statusReason } = entry.row;
    if (sandbox?.hibernation !== undefined) {
      const { memory } = sandbox.hibernation;
      this.#become(entry, { status: 'hibernated', memory, statusReason: undefined });
    } else {
      const why = status === 'failed' ? (statusReason ?? reason) : reason;
      this.#become(entry, { status: 'failed', statusReason: why, memory: undefined });
    }
    this.#options.onProcesses(entry);
  }

  #onDeath(entry: Entry, sandbox: DriverSandbox, reason: string): void {
    if (entry.sandbox !== sandbox || entry.row.status === 'deleted') return;
    this.#options.log('sandbox died', { sandbox: entry.row.id, reason });
    this.#enter(entry, { status: 'failed', statusReason: reason }, 'failed', { reason });
    this.#options.onProcesses(entry);
  }

  #enter(
    entry: Entry,
    change: Partial<SandboxRow>,
    type: EventType,
    payload: Readonly<Record<string, unknown>> = {},
  ): void {
    this.#become(entry, change);
    this.#options.events.emit(entry.row, type, payload);
  }

  /** One that is to be deleted stays so, whatever ends on the way. */
  #become(entry: Entry, { status, ...change }: Partial<SandboxRow>): void {
    const { registry, reschedule } = this.#options;
    const isDeleted = entry.row.status === 'deleted';
    const next = isDeleted || status === undefined ? {} : { status };
    registry.change(entry, { activeAt: entry.activity.last, ...change, ...next });
    reschedule();
  }
}
