/** How far a transfer is. */
export interface TransferProgress {
  /** Bytes of file contents that have passed. */
  readonly bytes: number;
  /** Bytes in all, when known. */
  readonly totalBytes?: number | undefined;
  /** Files that are done, of a transfer of several. */
  readonly files?: number | undefined;
  /** Files in all, when known. */
  readonly totalFiles?: number | undefined;
}

export type OnProgress = (progress: TransferProgress) => void;

export interface TransferOptions {
  /** Ends the transfer; nothing half-written stays on either side. */
  signal?: AbortSignal | undefined;
  /** Called after every chunk or file. */
  onProgress?: OnProgress | undefined;
}

export interface SignalOptions {
  signal?: AbortSignal | undefined;
}
