import type { OnRetry } from '../../http/patience.ts';
import type { TransferOptions } from '../progress.ts';

/** A part of a file, in bytes: from `start` up to, but not with, `end`; or the last ones. */
export type ByteRange =
  | { start?: number | undefined; end?: number | undefined; last?: undefined }
  | { last: number; start?: undefined; end?: undefined };

export interface ReadOptions {
  /** Only this part. What lies behind the end of the file is left out. @default all */
  range?: ByteRange | undefined;
  /** Read only the file with this `etag`; else `PreconditionFailedError`. */
  ifMatch?: string | undefined;
  signal?: AbortSignal | undefined;
}

export interface DownloadOptions extends TransferOptions {
  /** Called before a download that was interrupted goes on. What it throws ends the download. */
  onRetry?: OnRetry | undefined;
  /**
   * Requests that fetch parts of one file side by side, when it has more than 64 MiB.
   * @default 1
   */
  connections?: number | undefined;
  /**
   * Compare the SHA-256 of the whole file with the daemon's. False: only the length and the
   * validator are checked.
   * @default true
   */
  verify?: boolean | undefined;
}
