/** How far a transfer is. */
export interface TransferProgress {
  /** Bytes that have passed. */
  readonly bytes: number;
  /** Bytes in all, when known. */
  readonly totalBytes?: number | undefined;
}

export type OnProgress = (progress: TransferProgress) => void;

export interface TransferOptions {
  /** Ends the transfer; nothing half-written stays on either side. */
  signal?: AbortSignal | undefined;
  /** Called after every chunk. */
  onProgress?: OnProgress | undefined;
}

export interface WriteOptions extends TransferOptions {
  /** Permission bits of a file that is new, as `0o755`; one that was there keeps its own. @default 0o644 */
  mode?: number | undefined;
}
