import { type FilesApi, guestPath } from '../files-api.ts';
import type { DownloadOptions } from '../read/read-options.ts';
import { downloadInOrder } from './download-in-order.ts';
import { LocalTarget, type OnEntry } from './local-target.ts';
import { downloadSpans, minParallelBytes } from './parallel-download.ts';
import { RemoteFile } from './remote-file.ts';

export interface DownloadResult {
  /** The local path as it was given. */
  readonly path: string;
  readonly bytes: number;
}

/** Copies a file of the sandbox to this machine; see `Filesystem.download`. */
export async function downloadFile(
  api: FilesApi,
  remotePath: string,
  localPath: string,
  options: DownloadOptions,
  onEntry?: OnEntry,
): Promise<DownloadResult> {
  const { connections = 1, verify = true, signal } = options;
  const path = guestPath(remotePath);
  if (connections > 1) {
    const { file, message } = await RemoteFile.open(api, path, 'HEAD', { signal, verify });
    message.resume();
    if (file.hasParts && file.sizeBytes >= minParallelBytes) {
      await using target = await LocalTarget.open(localPath, onEntry);
      // A pipe or a device takes bytes in order only.
      if (!target.inPlace) {
        await downloadSpans(file, target, { ...options, connections, verify });
        await target.finish();
        return { path: localPath, bytes: file.sizeBytes };
      }
    }
  }
  const { file, message } = await RemoteFile.open(api, path, 'GET', { signal, verify });
  try {
    await using target = await LocalTarget.open(localPath, onEntry);
    const bytes = await downloadInOrder(file, target, message, { ...options, verify });
    await target.finish();
    return { path: localPath, bytes };
  } finally {
    message.destroy();
  }
}
