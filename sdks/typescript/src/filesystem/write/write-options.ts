import type { WriteResult as WriteResultOnWire } from '@sandport/protocol';
import type { OnRetry } from '../../http/patience.ts';
import type { Woke } from '../../http/woke.ts';
import type { FileTime } from '../file-time.ts';
import type { TransferOptions } from '../progress.ts';

/** What was written. */
export interface WriteResult extends WriteResultOnWire {
  /** The sandbox was hibernated, and came back like this. */
  readonly woke?: Woke;
}

/** Owner inside the sandbox. */
export interface FileOwner {
  uid: number;
  gid: number;
}

export interface WriteOptions extends TransferOptions {
  /** Permission bits, as `0o755`. @default those of the file that was there; of a new one 0o644 */
  mode?: number | undefined;
  /** @default the owner of the file that was there; of a new one the sandbox's user */
  owner?: FileOwner | undefined;
  /** Time of the last change. @default now */
  mtime?: FileTime | undefined;
  /** Write only over the file with this `etag`; else `PreconditionFailedError`. */
  ifMatch?: string | undefined;
  /** `'*'`: write only where nothing is; else `PreconditionFailedError`. */
  ifNoneMatch?: '*' | undefined;
  /** Make missing parent directories. @default true */
  createParents?: boolean | undefined;
  /** Resolve only when the disk has the file, so that it survives a power failure. @default false */
  sync?: boolean | undefined;
}

/** How `write` puts the bytes into a file that is there. */
export interface WriteInPlaceOptions extends WriteOptions {
  /** Add the bytes to the end of the file. Not sent again after a broken connection. @default false */
  append?: boolean | undefined;
  /** Put the bytes at this place into the file; what is after them stays. */
  offset?: number | undefined;
}

export interface UploadOptions extends WriteOptions {
  /** Called before an upload in parts that was interrupted goes on. What it throws ends the upload. */
  onRetry?: OnRetry | undefined;
  /**
   * A regular file of more bytes goes up in parts, each checked by its SHA-256, and goes on by
   * itself after a broken connection or a restart of the daemon. Infinity: never in parts.
   * @default 67108864
   */
  resumableAboveBytes?: number | undefined;
}
