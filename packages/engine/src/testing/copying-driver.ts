import type { Driver, SandboxUsage } from '@sandport/driver';
import { SandportFault } from '@sandport/protocol';
import { StatesDriver } from './states-driver.ts';

/** A driver that can fork, freeze and restore, for tests of what goes wrong on the way. */
export class CopyingDriver extends StatesDriver {
  /** Children that fail, by their place. */
  readonly stillborn = new Map<number, SandportFault>();
  /** Whether a sandbox has processes after a failed restore. */
  runsOn = true;

  override fork: Driver['fork'] = async (_parent, specs, options = {}) => {
    await this.call('fork');
    const children = specs.map(({ id }, index) => this.stillborn.get(index) ?? this.processes(id));
    return { children, memory: options.memory ?? false, pauseMs: 1 };
  };

  override readonly snapshots: Driver['snapshots'] = {
    create: async (_id, _sandbox, { memory }) => {
      await this.call('freeze');
      return { memory, sizeBytes: 7, pauseMs: 1 };
    },
    remove: () => this.call('thaw'),
  };

  override restore: Driver['restore'] = async ({ id }) => {
    await this.call('restore');
    return { sandbox: this.processes(id), memory: false };
  };

  override usage: Driver['usage'] = async () => {
    if (!this.runsOn) return idle;
    return { ...idle, pid: 1 };
  };
}

const idle: SandboxUsage = {
  uptimeSeconds: 0,
  cpuSeconds: 0,
  memoryBytes: 0,
  pids: 0,
  diskBytes: 0,
  networkReceivedBytes: 0,
  networkSentBytes: 0,
};
