import type { Isolation, SandboxId } from '@sandport/protocol';
import type { Driver } from '../driver.ts';

/** What a driver may lack on a machine; each with the reason why. */
export interface Lacking {
  readonly cpuQuota?: string | undefined;
  readonly diskLimit?: string | undefined;
  /** FIFOs and sockets that guests make are not there for the API. */
  readonly specialFiles?: string | undefined;
  /** Sandboxes cannot be frozen in place. */
  readonly pause?: string | undefined;
  /** The limit of a disk stays what it was. */
  readonly diskResize?: string | undefined;
  /** The number of processes of a sandbox stays what it was at its start. */
  readonly livePids?: string | undefined;
  /** Terminals do not edit lines, and do not end their input at ^D, while a program leaves that to them. */
  readonly lineEditing?: string | undefined;
  /** A program cannot open its terminal by the name /dev/tty. */
  readonly terminalByName?: string | undefined;
  /** Root inside can end the init, and the sandbox with it. */
  readonly initProtection?: string | undefined;
}

/** A driver under test, with one isolation. */
export interface ConformanceSubject {
  readonly isolation: Isolation;
  /**
   * Opens the driver on a directory of its own that stays the same: what one leaves behind, the
   * next one finds. At most one is open at a time.
   */
  readonly open: () => Promise<Driver>;
  /** Host process id of a sandbox's first process. */
  readonly initPid: (id: SandboxId) => number;
  /** How often the kernel has held a sandbox back for its CPU limit. */
  readonly throttledPeriods: (id: SandboxId) => number;
  /** Removes the directory, after the last driver was closed. */
  readonly cleanup: () => Promise<void>;
  /** Set when the isolation does not work on this machine: why everything is skipped. */
  readonly unavailable?: string | undefined;
  readonly lacking?: Lacking;
}
