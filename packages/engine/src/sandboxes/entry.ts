import type { DriverSandbox, SandboxSpec, StoppedSandbox } from '@sandport/driver';
import type { SandboxRow } from '@sandport/state';

/** A sandbox in the engine's memory: what is remembered of it, and the driver's hold on it. */
export interface Entry {
  row: SandboxRow;
  /** Present once it has files: running, or dead with its disk left. */
  sandbox?: DriverSandbox | StoppedSandbox | undefined;
  /** Ends a create that is under way. */
  readonly abort: AbortController;
  /** The create, or the removal, that is under way. */
  work?: Promise<unknown> | undefined;
}

/** The driver's part of a row. It was checked when it was made and is read back as it was. */
export const specOf = (row: SandboxRow): SandboxSpec => row.spec as SandboxSpec;

/** Narrows to a sandbox that runs commands. */
export const isRunning = (sandbox: Entry['sandbox']): sandbox is DriverSandbox =>
  sandbox !== undefined && 'commands' in sandbox;
