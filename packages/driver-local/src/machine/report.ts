import type { Isolation } from '@sandport/protocol';

/** One thing that sandboxes need or profit from. */
export interface MachineRow {
  readonly name: string;
  /** `missing` keeps at least one isolation from working; `degraded` costs something. */
  readonly status: 'ok' | 'missing' | 'degraded';
  /** What was found, one line. */
  readonly detail: string;
  /** What it means for sandboxes. */
  readonly cost?: string;
  /** Command that mends it. */
  readonly fix?: string;
}

export interface MachineReport {
  readonly rows: readonly MachineRow[];
  /** Isolations that work here, strongest first. */
  readonly isolations: readonly Isolation[];
}
