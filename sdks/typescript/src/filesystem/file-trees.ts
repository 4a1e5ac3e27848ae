import { downloadDir } from '../tree/download-dir.ts';
import type { DownloadDirOptions, TreeResult, UploadDirOptions } from '../tree/tree-options.ts';
import { uploadDir } from '../tree/upload-dir.ts';
import { syncDir } from '../sync/sync-dir.ts';
import type { SyncOptions, SyncResult, WatchDirOptions } from '../sync/sync-options.ts';
import { watchDir } from '../sync/watch-dir.ts';
import { FileBatches } from './file-batches.ts';
import { guestPath } from './files-api.ts';

/** Whole directories between this machine and the sandbox. */
export class FileTrees extends FileBatches {
  /**
   * Copies what is in a local directory into a directory of the sandbox, which is made when it is
   * missing: in one request, with modes, times, symlinks, hard links and empty directories. What
   * else is there stays. Every file is atomic, the whole is not: after a broken
   * connection send it again, or use `syncDir`, which sends what is missing. FIFOs, sockets and
   * devices are left out and reported.
   * @throws LocalFileError when a file cannot be read or changes its length while it is sent
   */
  uploadDir(
    localPath: string,
    remotePath: string,
    options: UploadDirOptions = {},
  ): Promise<TreeResult> {
    return uploadDir(this.api, localPath, guestPath(remotePath), options);
  }

  /**
   * Copies what is in a directory of the sandbox into a local one, which is made when it is
   * missing: in one request, with modes, times, symlinks, hard links and empty directories. Owners
   * and set-user-id bits are not kept. Every file is atomic, the whole is not. Nothing lands outside
   * of `localPath`, whatever the sandbox sends; see `unsafeLinks`.
   * @throws UnsafeArchiveError, InvalidArchiveError; TooLargeError beyond `maxEntries` or
   * `maxBytes`; LocalFileError
   */
  downloadDir(
    remotePath: string,
    localPath: string,
    options: DownloadDirOptions = {},
  ): Promise<TreeResult> {
    return downloadDir(this.api, guestPath(remotePath), localPath, options);
  }

  /**
   * Makes two directories the same, sending only what differs in type, size, time of the last
   * change (to the millisecond), mode or link text; with `checksum` in SHA-256. Without `delete`,
   * what only the target has stays.
   */
  syncDir(localPath: string, remotePath: string, options: SyncOptions = {}): Promise<SyncResult> {
    return syncDir(this.api, localPath, guestPath(remotePath), options);
  }

  /**
   * Keeps a directory of the sandbox the same as a local one until the signal is aborted: syncs at
   * once, and again whenever local files change.
   * @throws NotFoundError when the sandbox is gone, also while nothing changes
   */
  watchDir(localPath: string, remotePath: string, options: WatchDirOptions = {}): Promise<void> {
    return watchDir(this.api, localPath, guestPath(remotePath), options);
  }
}
