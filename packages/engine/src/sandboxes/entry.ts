import type { DriverSandbox, SandboxSpec, StoppedSandbox } from '@sandport/driver';
import type { SandboxRow } from '@sandport/state';
import { Activity } from './activity.ts';
import type { Waking } from './states.ts';
import { Turns } from './turns.ts';

/** A sandbox in the engine's memory: what is remembered of it, and the driver's hold on it. */
export interface Entry {
  row: SandboxRow;
  /** Present once it has files: with processes, or without them with its disk left. */
  sandbox?: DriverSandbox | StoppedSandbox | undefined;
  /** Aborts when it is to be deleted: ends what is being done to it. */
  readonly abort: AbortController;
  readonly turns: Turns;
  readonly activity: Activity;
  /** A wake that commands and writes wait for. */
  waking?: Promise<Waking> | undefined;
}

export const newEntry = (row: SandboxRow, sandbox?: Entry['sandbox']): Entry => ({
  row,
  sandbox,
  abort: new AbortController(),
  turns: new Turns(),
  activity: new Activity(row.activeAt),
});

/** The driver's part of a row. It was checked when it was made and is read back as it was. */
export const specOf = (row: Pick<SandboxRow, 'spec'>): SandboxSpec => row.spec as SandboxSpec;

/** Narrows to a sandbox that has processes. */
export const hasProcesses = (sandbox: Entry['sandbox']): sandbox is DriverSandbox =>
  sandbox !== undefined && 'died' in sandbox;
