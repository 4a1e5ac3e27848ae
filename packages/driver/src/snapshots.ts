import type { SandboxId, SnapshotId } from '@sandport/protocol';

export interface SnapshotInfo {
  readonly memory: boolean;
  /** Bytes on disk, the memory image included; without what it shares with others where that can be told. */
  readonly sizeBytes: number;
  /** How long the sandbox stood still, in milliseconds. */
  readonly pauseMs: number;
}

/** Frozen states of sandboxes. They outlive the sandbox and keep its template version. */
export interface SnapshotStore {
  /**
   * Freezes the disk of a sandbox, running or not, and with `memory` its processes (of a hibernated
   * one: its image). The sandbox goes on as before. On failure nothing of the snapshot is left.
   * @throws SandportFault `snapshot_failed`, `disk_full`, `memory_unavailable`
   */
  create(
    id: SnapshotId,
    sandbox: SandboxId,
    options: { readonly memory: boolean; readonly signal?: AbortSignal },
  ): Promise<SnapshotInfo>;

  /** Sandboxes that were made from it stay. Idempotent. */
  remove(id: SnapshotId): Promise<void>;
}
